import type { Attempt } from '@damask/contracts/run.ts';
import { costOf } from '../routing/cost.ts';
import type { RoutedResult } from '../routing/routed-call.ts';
import { type Amount, least, nothing, plus } from './amount.ts';
import type { MostOfRun } from './most-of-run.ts';

export interface Charge {
  readonly spent: Amount;
  /** What a provider counted beyond the maximum of its calls. */
  readonly over?: Amount;
}

/**
 * What a run's calls are charged. What a provider counted, at its price; a call whose outcome or count nobody knows, at
 * its maximum; one that was refused, nothing. Never more than was reserved.
 */
export function chargeOf({ attempts, usage, served }: RoutedResult, most: MostOfRun, now: number): Charge {
  const counted = countedOf(attempts, usage, served, now);
  // The count is of the last call, or of both where an answer was sent back for its form.
  const unknown = counted
    ? attempts.slice(0, -1).filter((attempt) => attempt.code !== 'invalid_output' && mayBeCharged(attempt))
    : attempts.filter(mayBeCharged);
  let spent = counted ?? nothing;
  for (const _ of unknown) spent = plus(spent, most.call);
  const limit = { micros: most.micros ?? Number.POSITIVE_INFINITY, tokens: most.tokens };
  if (spent.micros <= limit.micros && spent.tokens <= limit.tokens) return { spent };
  return { spent: least(spent, limit), ...(unknown.length > 0 ? {} : { over: spent }) };
}

function countedOf(
  attempts: readonly Attempt[],
  usage: RoutedResult['usage'],
  served: RoutedResult['served'],
  now: number,
): Amount | null {
  const { input_tokens: input, output_tokens: output } = usage;
  if (attempts.length === 0 || input === null || output === null) return null;
  const micros = costOf(usage, served.facts.prices, now);
  // Without a price there is no limit of money either.
  if (micros === null && served.facts.prices.length > 0) return null;
  return { micros: micros ?? 0, tokens: input + output };
}

/** A refusal costs nothing: no connection, or a status that says so before any output. */
function mayBeCharged({ outcome, provider_status, first_output_ms }: Attempt): boolean {
  if (outcome !== 'failed' || first_output_ms !== null) return true;
  return provider_status !== null && provider_status < 300;
}
