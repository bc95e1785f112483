import type { ImportReport } from '@damask/contracts/transfer.ts';
import { AppError } from '#platform/app-error.ts';
import type { ExistingPattern } from '../library/pattern-store.ts';
import { decideOutcome, type Outcome } from './decide-outcome.ts';
import type { ImportPlan } from './plan-import.ts';

export interface ImportOptions {
  /** The operation, for the audit trail. */
  readonly action: string;
  readonly source: { readonly kind: 'starter' | 'import'; readonly origin?: string; readonly commit?: string };
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
  readonly blob: string | null;
  readonly warnings: ImportPlan['patterns'][number]['warnings'];
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

type How = Pick<ImportOptions, 'source' | 'onConflict'>;

/** Compares planned patterns with those of the same names that are there. */
export function decidePatterns(
  planned: ImportPlan['patterns'],
  existing: ReadonlyMap<string, Stored>,
  how: How,
): PatternDecision[] {
  return planned.map(({ name, content, blob = null, warnings }) => {
    const stored = existing.get(name);
    const decision = judge(stored, content.files_digest, how);
    const latest = stored?.latest ?? 0;
    const version = decision.outcome === 'conflict' ? null : decision.publish ? latest + 1 : latest;
    return { ...decision, name, content, blob, warnings, existing: stored, version };
  });
}

/** The same for strategies. */
export function decideStrategies(
  planned: ImportPlan['strategies'],
  existing: ReadonlyMap<string, ExistingPattern>,
  how: How,
): StrategyDecision[] {
  return planned.map((strategy) => ({ ...judge(existing.get(strategy.name), strategy.digest, how), ...strategy }));
}

function judge(stored: ExistingPattern | undefined, digest: string, { source: { kind }, onConflict }: How): Decision {
  const outcome = decideOutcome(stored, { digest, kind }, onConflict);
  const publish = publishing.has(outcome);
  // Starters give way to everything, so they never become the upstream of what somebody else brought.
  const mayNote = kind === 'import' || (outcome === 'same' && stored?.upstream === null);
  return { outcome, publish, noteUpstream: !publish && mayNote && stored?.upstream?.digest !== digest };
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

/** What the report says of one pattern. */
export function toRow({
  name,
  outcome,
  version,
  content,
  warnings,
}: PatternDecision): ImportReport['patterns'][number] {
  return {
    name,
    outcome,
    version,
    variables: content.variables.map((variable) => variable.name),
    literal_tokens: [...content.literal_tokens],
    disabled_capabilities: [...content.disabled_capabilities],
    ...(warnings ? { warnings: [...warnings] } : {}),
  };
}
