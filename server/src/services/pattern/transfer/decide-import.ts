import type { ImportReport } from '@damask/contracts/transfer.ts';
import { AppError } from '#platform/app-error.ts';
import type { ExistingPattern } from '../library/pattern-store.ts';
import { decideOutcome, type Outcome } from './decide-outcome.ts';
import type { ImportPlan } from './plan-import.ts';

export interface ImportOptions {
  /** The operation, for the audit trail. */
  readonly action: string;
  readonly source: { readonly kind: 'starter' | 'import'; readonly origin?: string };
  readonly onConflict: 'fail' | 'keep' | 'replace';
  readonly dryRun: boolean;
}

type Stored = ExistingPattern & { readonly id: string; readonly latest: number };

interface Decision {
  readonly outcome: Outcome;
  readonly publish: boolean;
  /** Nothing is published, but the next import must know what came this time. */
  readonly noteUpstream: boolean;
}

export interface PatternDecision extends Decision {
  readonly name: string;
  readonly content: ImportPlan['patterns'][number]['content'];
  readonly existing: Stored | undefined;
  /** The newest version afterwards; null where a conflict leaves that open. */
  readonly version: number | null;
}

export type StrategyDecision = Decision & ImportPlan['strategies'][number];

export interface DecidedImport {
  readonly patterns: readonly PatternDecision[];
  readonly strategies: readonly StrategyDecision[];
}

const publishing: ReadonlySet<Outcome> = new Set(['new', 'changed', 'replaced']);
const problemsShown = 100;

/** Compares a plan with what is there. */
export function decideImport(
  plan: ImportPlan,
  existing: {
    readonly patterns: ReadonlyMap<string, Stored>;
    readonly strategies: ReadonlyMap<string, ExistingPattern>;
  },
  { source: { kind }, onConflict }: Pick<ImportOptions, 'source' | 'onConflict'>,
): DecidedImport {
  const judge = (stored: ExistingPattern | undefined, digest: string): Decision => {
    const outcome = decideOutcome(stored, { digest, kind }, onConflict);
    const publish = publishing.has(outcome);
    // Starters give way to everything, so they never become the upstream of what somebody else brought.
    const mayNote = kind === 'import' || (outcome === 'same' && stored?.upstream === null);
    return { outcome, publish, noteUpstream: !publish && mayNote && stored?.upstream?.digest !== digest };
  };
  return {
    patterns: plan.patterns.map(({ name, content }) => {
      const stored = existing.patterns.get(name);
      const decision = judge(stored, content.files_digest);
      const latest = stored?.latest ?? 0;
      const version = decision.outcome === 'conflict' ? null : decision.publish ? latest + 1 : latest;
      return { ...decision, name, content, existing: stored, version };
    }),
    strategies: plan.strategies.map((strategy) => ({
      ...judge(existing.strategies.get(strategy.name), strategy.digest),
      ...strategy,
    })),
  };
}

/** Throws `import_conflict` that names everything that was edited here. */
export function refuseConflicts({ patterns, strategies }: DecidedImport): void {
  const edited = [
    ...patterns
      .filter(({ outcome }) => outcome === 'conflict')
      .map(({ name, existing }) => `pattern ${name} (version ${existing?.latest})`),
    ...strategies.filter(({ outcome }) => outcome === 'conflict').map(({ name }) => `strategy ${name}`),
  ];
  if (edited.length === 0) return;
  const shown = edited.slice(0, 5).join(', ');
  const more = edited.length > 5 ? ` and ${edited.length - 5} more` : '';
  throw new AppError(
    'import_conflict',
    `Nothing was imported: ${shown}${more} would lose what was written here. Import again with on_conflict keep, or replace.`,
    {
      pointer: '/on_conflict',
      problems: edited
        .slice(0, problemsShown)
        .map((what) => ({ pointer: '/files', detail: `${what} was edited here and differs from the import` })),
    },
  );
}

export function toReport(plan: ImportPlan, decided: DecidedImport, committed: boolean): ImportReport {
  return {
    committed,
    patterns: decided.patterns.map(({ name, outcome, version, content }) => ({
      name,
      outcome,
      version,
      variables: content.variables.map((variable) => variable.name),
      literal_tokens: [...content.literal_tokens],
      disabled_capabilities: [...content.disabled_capabilities],
    })),
    strategies: decided.strategies.map(({ name, outcome }) => ({ name, outcome })),
    ignored: plan.ignored.map(({ path, reason }) => ({ path, reason })),
  };
}
