import type { ModelOffer } from '@damask/contracts/model.ts';
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
const mostEntered = 200;

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
  /** One that is among them if it answers. */
  perhaps?: EnvironmentProvider;
  egress: Egress;
  clock: Clock;
  log: Log;
}): EnvironmentInquiry {
  const { providers, perhaps, egress, clock, log } = options;
  const answered = new Set<string>();
  const told = new Set<string>();
  let timer: Timer | undefined;
  let stopped = false;

  const ask = async (given: EnvironmentProvider, withinMs: number) => {
    const { name, protocol, baseUrl, apiKey } = given;
    try {
      const offered = await askOffered(egress, { protocol, baseUrl, apiKey, trusted: true }, withinMs);
      answered.add(name);
      if (offered === null) return;
      const known = { ...given, models: entered(given, offered), offered, defaultModel: fitting(given, offered) };
      const at = providers.indexOf(given);
      if (at >= 0) providers[at] = known;
      else if (given === perhaps) providers.push(known);
    } catch (error) {
      if (given === perhaps || told.has(name)) return;
      told.add(name);
      log.warn('A provider does not say which models it has', { provider: name, error });
    }
  };
  const askAll = (withinMs: number, asked: readonly EnvironmentProvider[]) =>
    Promise.all(asked.filter(({ name }) => !answered.has(name)).map((given) => ask(given, withinMs)));
  const later = async () => {
    await askAll(laterWithinMs, providers);
    const silent = providers.some(({ name }) => !answered.has(name));
    if (!stopped && silent) timer = clock.after(againAfterMs, () => void later());
  };
  return {
    async first(withinMs) {
      const near = providers.filter(({ baseUrl }) => !vendors.test(new URL(baseUrl).hostname));
      await askAll(withinMs, perhaps ? [...near, perhaps] : near);
    },
    begin: () => void later(),
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}

/** What runs on one's own machine has no price for each token. What we guessed ourselves goes when it is not there. */
function entered({ protocol, models }: EnvironmentProvider, offered: readonly string[]): ModelOffer[] {
  if (protocol !== 'ollama') return models.filter(({ id }) => lists(offered, id));
  return offered.slice(0, mostEntered).map((id) => ({ id, input_price: 0, output_price: 0 }));
}

function fitting({ defaultModel }: EnvironmentProvider, offered: readonly string[]): string | null {
  if (defaultModel !== null && lists(offered, defaultModel)) return defaultModel;
  return chatModels(offered)[0] ?? defaultModel;
}
