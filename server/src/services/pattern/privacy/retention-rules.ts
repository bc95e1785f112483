import type { RetentionOf, RetentionRule } from '@damask/contracts/privacy.ts';
import { AppError } from '#platform/app-error.ts';

/** What a rule is looked up by. `environment` is empty where a run had none. */
export interface Kept {
  readonly of: RetentionOf;
  readonly data_class: string;
  readonly environment: string;
}

const weightOf = ({ data_class, environment }: RetentionRule) =>
  (data_class === undefined ? 0 : 2) + (environment === undefined ? 0 : 1);

/** The rule that names most of it; undefined: it is kept for ever. */
export function ruleOf(rules: readonly RetentionRule[], kept: Kept): RetentionRule | undefined {
  return rules
    .filter(
      ({ of, data_class, environment }) =>
        of === kept.of &&
        (data_class === undefined || data_class === kept.data_class) &&
        (environment === undefined || environment === kept.environment),
    )
    .reduce<RetentionRule | undefined>(
      (best, rule) => (best === undefined || weightOf(rule) > weightOf(best) ? rule : best),
      undefined,
    );
}

/** A name of its own for each rule that can stand beside others. */
export const nameOfRule = ({ of, data_class, environment, days }: RetentionRule): string =>
  JSON.stringify([of, data_class ?? null, environment ?? null, days]);

/** Days after which every record of a workspace is past its retention; undefined: some are kept for ever. */
export function longestRecords(rules: readonly RetentionRule[]): number | undefined {
  const records = rules.filter(({ of }) => of === 'records');
  if (!records.some((rule) => weightOf(rule) === 0)) return undefined;
  return Math.max(...records.map(({ days }) => days));
}

/** Errors: `invalid_request` for what says one thing twice, or means nothing. */
export function checkRules(rules: readonly RetentionRule[]): void {
  const seen = new Set<string>();
  for (const [index, rule] of rules.entries()) {
    const { of, data_class, environment } = rule;
    const narrow = data_class !== undefined || environment !== undefined;
    if (narrow && (of === 'sessions' || of === 'timer_ticks')) {
      const what = of === 'sessions' ? 'A session' : 'A tick of a timer';
      throw refuse(index, `${what} has neither a class nor an environment. Leave data_class and environment out.`);
    }
    const name = JSON.stringify([of, data_class, environment]);
    if (seen.has(name)) throw refuse(index, 'There is a rule for exactly this before. Leave one of them out.');
    seen.add(name);
  }
}

function refuse(index: number, detail: string): AppError {
  return new AppError('invalid_request', detail, { pointer: `/rules/${index}` });
}
