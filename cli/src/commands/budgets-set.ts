import type { PutBudgetInput } from '@damask/sdk';
import { limitOf, whatItCovers } from '../budget-bar.ts';
import { defineCommand, jsonFlag, reasonFlag, serverFlags } from '../command.ts';
import { numberFlag } from '../number-flag.ts';
import { UsageError } from '../usage-error.ts';

export const budgetsSet = defineCommand({
  name: 'budgets set',
  usage: '<budget> --money <dollars> --per <period> [flags]',
  about:
    'Makes a budget, or replaces the limits of the one of this name. It covers the whole workspace, or one key, pattern or\n' +
    'environment. Days and months begin at midnight UTC. What was spent stays counted, unless it covers something else now.',
  flags: {
    money: { type: 'string', value: '<dollars>', help: 'US dollars, such as 25 or 0.50.' },
    tokens: { type: 'string', value: '<count>', help: 'Tokens that go in and come out.' },
    per: { type: 'string', value: '<period>', help: 'day (default) or month.' },
    key: { type: 'string', value: '<id>', help: 'Limits this API key; `damask keys` shows the ids.' },
    pattern: { type: 'string', value: '<pattern>', completes: 'patterns', help: 'Limits this pattern.' },
    environment: { type: 'string', value: '<name>', help: 'Limits runs of this environment.' },
    ...jsonFlag,
    ...reasonFlag,
    ...serverFlags,
  },
  positionals: [1, 1],
  completes: ['budgets'],
  examples: [
    'damask budgets set everything --money 25 --per day',
    'damask budgets set nightly --pattern summarize --tokens 2000000 --per month',
  ],
  async run({ flags, positionals, terminal, connect }) {
    const [name = ''] = positionals;
    const per = flags.per ?? 'day';
    if (per !== 'day' && per !== 'month') throw new UsageError(`--per takes day or month, not '${per}'.`);
    const { damask } = await connect();
    const put: PutBudgetInput = {
      budget: name,
      ...covered(flags),
      period: per,
      limit_micros: microsOf(flags.money),
      limit_tokens: numberFlag('tokens', flags.tokens, true),
    };
    if (put.limit_micros === undefined && put.limit_tokens === undefined) {
      throw new UsageError(`How much? For example: damask budgets set ${name || 'everything'} --money 25 --per day`);
    }
    const budget = await damask.budgets.put(put);
    if (flags.json) return terminal.print(JSON.stringify(budget, null, 2));
    await terminal.print(`${budget.name}: ${limitOf(budget)}, ${whatItCovers(budget)}`);
  },
});

function covered(flags: {
  readonly key: string | undefined;
  readonly pattern: string | undefined;
  readonly environment: string | undefined;
}): Pick<PutBudgetInput, 'covers' | 'of'> {
  const given = (['key', 'pattern', 'environment'] as const).filter((name) => flags[name] !== undefined);
  if (given.length > 1) throw new UsageError(`Say only one of ${given.map((name) => `--${name}`).join(' and ')}.`);
  const [covers] = given;
  return covers === undefined ? { covers: 'workspace' } : { covers, of: flags[covers] };
}

/** Dollars as whole millionths, without the rounding of floating point. */
function microsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, whole, fraction = ''] = /^\$?(\d{1,9})(?:\.(\d{1,6}))?$/.exec(text.trim()) ?? [];
  if (whole === undefined) throw new UsageError(`--money takes dollars such as 25 or 0.50, not '${text}'.`);
  return Number(whole) * 1_000_000 + Number(fraction.padEnd(6, '0'));
}
