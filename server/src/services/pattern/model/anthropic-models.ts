import type { Parameters } from '@damask/contracts/parameters.ts';

/** Version as a number such as 4.5; a name that tells none is taken for the newest. */
function versionOf(model: string): number {
  // `claude-opus-4-5-20251101`, `claude-sonnet-4-20250514`, `claude-3-7-sonnet-latest`
  const found = /claude-(?:[a-z]+-)?(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)/.exec(model);
  if (!found) return Number.POSITIVE_INFINITY;
  return Number(found[1]) + Number(found[2] ?? 0) / 100;
}

const version = (major: number, minor: number) => major + minor / 100;

/** Whether the model takes `output_config.format`. */
export function takesOutputFormat(model: string): boolean {
  return versionOf(model) >= version(4, 5);
}

export interface Reasoning {
  readonly thinking?: { readonly type: 'disabled' | 'adaptive' | 'enabled'; readonly budget_tokens?: number };
  readonly effort?: 'low' | 'medium' | 'high';
  /** Tokens that thinking may take beside the answer's own limit. */
  readonly extraTokens: number;
}

const efforts = { minimal: 'low', low: 'low', medium: 'medium', high: 'high' } as const;
/** Tokens of thinking for models that take a budget instead of an effort; 1,024 is the least they take. */
const budgets = { minimal: 1_024, low: 2_048, medium: 8_192, high: 16_384 } as const;

/** How the effort is said to the model. */
export function reasoningOf(model: string, effort: Parameters['reasoning_effort']): Reasoning {
  if (effort === undefined) return { extraTokens: 0 };
  if (effort === 'none') return { thinking: { type: 'disabled' }, extraTokens: 0 };
  const known = versionOf(model);
  if (known >= version(4, 6)) return { thinking: { type: 'adaptive' }, effort: efforts[effort], extraTokens: 0 };
  if (known >= version(4, 5) && model.includes('opus')) return { effort: efforts[effort], extraTokens: 0 };
  const budget = budgets[effort];
  return { thinking: { type: 'enabled', budget_tokens: budget }, extraTokens: budget };
}
