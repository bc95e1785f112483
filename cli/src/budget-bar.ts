import type { Budget } from '@damask/sdk';
import { formatCost } from './figures.ts';

/** How far a budget is used: a bar, and the share of the limit that is nearest to its end (1: all of it is spent). */
export function budgetBar(budget: Budget, width: number): { readonly text: string; readonly share: number } {
  const { spent, reserved } = nearest(budget);
  const cells = (share: number) => Math.max(0, Math.min(width, Math.round(share * width)));
  // What is nearly spent must not look as if it were.
  const full = spent < 1 ? Math.min(cells(spent), width - 1) : width;
  const held = Math.max(full, cells(spent + reserved));
  const bar = `${'█'.repeat(full)}${'▒'.repeat(held - full)}${'░'.repeat(width - held)}`;
  return { text: `${bar} ${String(Math.floor(Math.min(spent, 9.99) * 100)).padStart(3)} %`, share: spent };
}

interface Used {
  readonly spent: number;
  readonly reserved: number;
}

function nearest(budget: Budget): Used {
  const money = use(budget.spent_micros, budget.reserved_micros, budget.limit_micros);
  const tokens = use(budget.spent_tokens, budget.reserved_tokens, budget.limit_tokens);
  return money.spent + money.reserved >= tokens.spent + tokens.reserved ? money : tokens;
}

function use(spent: number, reserved: number, limit: number | null): Used {
  return limit === null ? { spent: 0, reserved: 0 } : { spent: spent / limit, reserved: reserved / limit };
}

/** `workspace`, `pattern summarize`, ... */
export function whatItCovers({ covers, of }: Budget): string {
  return of === null ? covers : `${covers} ${of}`;
}

/** `$25.00 and 100,000 tokens a day` */
export function limitOf({ limit_micros, limit_tokens, period }: Budget): string {
  const parts = [
    ...(limit_micros === null ? [] : [formatCost(limit_micros)]),
    ...(limit_tokens === null ? [] : [formatTokens(limit_tokens)]),
  ];
  return `${parts.join(' and ')} a ${period}`;
}

export function formatTokens(count: number): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? 'token' : 'tokens'}`;
}
