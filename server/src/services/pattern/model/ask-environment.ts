import type { Clock, Timer } from '#platform/clock.ts';
import type { Egress } from '#platform/egress/egress.ts';
import type { Log } from '#platform/log.ts';
import { askOffered } from './ask-offered.ts';
import type { EnvironmentProvider } from './environment-providers.ts';
import { chatModels, lists } from './provider-source.ts';

/** Hosts of vendors, which are there: nobody waits at the start to hear what they have. */
const vendors = /\.(openai\.com|anthropic\.com|googleapis\.com|mistral\.ai|groq\.com|deepseek\.com)$/;
const againAfterMs = 30_000;
const laterWithinMs = 10_000;

export interface EnvironmentInquiry {
  /** Asks those that may be on this machine or in this house; waits for `withinMs` at most. */
  first(withinMs: number): Promise<void>;
  /** Asks all the others, and again those that did not answer, until `stop`. */
  begin(): void;
  stop(): void;
}

/**
 * Asks the operator's providers what they have, and puts it into `providers`. A default model that its provider does not
 * have gives way to one that it has: a server of one's own seldom serves what OpenAI does.
 */
export function askEnvironment(options: {
  providers: EnvironmentProvider[];
  egress: Egress;
  clock: Clock;
  log: Log;
}): EnvironmentInquiry {
  const { providers, egress, clock, log } = options;
  const answered = new Set<string>();
  let timer: Timer | undefined;
  let stopped = false;

  const ask = async (given: EnvironmentProvider, withinMs: number) => {
    const { name, protocol, baseUrl, apiKey } = given;
    try {
      const offered = await askOffered(egress, { protocol, baseUrl, apiKey, trusted: true }, withinMs);
      answered.add(name);
      const at = providers.indexOf(given);
      if (offered === null || at < 0) return;
      // What runs on one's own machine has no price for each token.
      const models =
        protocol === 'ollama'
          ? offered.slice(0, 200).map((id) => ({ id, input_price: 0, output_price: 0 }))
          : given.models.filter(({ id }) => lists(offered, id));
      providers[at] = { ...given, models, offered, defaultModel: fitting(given, offered) };
    } catch (error) {
      log.debug('A provider does not say yet which models it has', { provider: name, error });
    }
  };
  const askAll = (withinMs: number, which: (given: EnvironmentProvider) => boolean) =>
    Promise.all(
      providers.filter((given) => !answered.has(given.name) && which(given)).map((given) => ask(given, withinMs)),
    );
  const later = async () => {
    await askAll(laterWithinMs, () => true);
    if (!stopped && providers.some(({ name }) => !answered.has(name)))
      timer = clock.after(againAfterMs, () => void later());
  };
  return {
    async first(withinMs) {
      await askAll(withinMs, ({ baseUrl }) => !vendors.test(new URL(baseUrl).hostname));
    },
    begin: () => void later(),
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}

function fitting({ defaultModel }: EnvironmentProvider, offered: readonly string[]): string | null {
  if (defaultModel !== null && lists(offered, defaultModel)) return defaultModel;
  return chatModels(offered)[0] ?? defaultModel;
}
