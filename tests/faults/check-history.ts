import type { Entry } from './fault-load.ts';

/** A call as the model server's ledger has it. */
export interface LedgerLine {
  readonly input: string;
  /** False: refused before anything was done for it. */
  readonly worked: boolean;
  readonly system: string;
}

/** A run as the database has it. */
export interface RunRecord {
  readonly run: string;
  readonly input: string | null;
  readonly pattern: string;
  readonly version: number;
  /** Null: it was accepted and has not ended. */
  readonly status: string | null;
  readonly attempts: readonly { readonly outcome: string }[] | null;
}

export interface Evidence {
  readonly history: readonly Entry[];
  readonly ledger: readonly LedgerLine[];
  readonly records: readonly RunRecord[];
  /** Calls of the steps of chains: what went in, and uncertain attempts by run and path. */
  readonly uncertainSteps: ReadonlyMap<string, number>;
  /** How runs had ended when the database was looked at in between. */
  readonly seen: ReadonlyMap<string, string>;
  /** Rows that must not be there once nothing runs any more, by what they are. */
  readonly left: Readonly<Record<string, number>>;
  /** What all budgets together have counted. */
  readonly spentTokens: number;
  /** Outputs as the interface tells them, by run; a sample. */
  readonly outputs: ReadonlyMap<string, string>;
}

export interface Verdict {
  readonly accepted: number;
  readonly lost: number;
  /** Calls that were worked on twice although no attempt is recorded as uncertain. */
  readonly paidTwice: number;
  readonly uncertain: number;
  readonly shadowCalls: number;
  /** Each is a promise that was broken, with the invariant's name in front. */
  readonly broken: readonly string[];
}

const stepTexts = (input: string) => [input, `echo ${input}`, `echo echo ${input}`];
/** Tokens that a run takes at least: five for each call. */
const tokensOf = (pattern: string) => (pattern === 'three' ? 15 : 5);
const answerTo = (pattern: string, input: string) => `echo ${pattern === 'three' ? 'echo echo ' : ''}${input}`;

/** Holds what clients were told, what the model server saw and what the database has against each other. */
export function checkHistory(evidence: Evidence): Verdict {
  const { history, ledger, records, seen, left, outputs, spentTokens } = evidence;
  const broken: string[] = [];
  const byRun = new Map(records.map((record) => [record.run, record]));
  const byInput = Map.groupBy(records, ({ input }) => input);
  const worked = countBy(ledger.filter((line) => line.worked).map(({ input }) => input));
  const told = history.filter(({ run }) => run !== null);
  let lost = 0;
  for (const { input, kind, code, run, told: end } of told) {
    const record = byRun.get(run as string);
    if (!record?.status) {
      lost += 1;
      broken.push(
        `I1 ${input} (${kind}${code ? `, told ${code}` : ''}): was accepted and ${record ? 'has no end' : 'has no record'}`,
      );
    } else if (end !== null && end !== record.status)
      broken.push(`I3 ${input}: was told to have ${end}, recorded as ${record.status}`);
    else if (record.input !== input) broken.push(`I8 ${input}: its run has the input ${record.input}`);
  }
  for (const { run, input, status } of records) if (status === null) broken.push(`I1 ${input ?? run}: never ended`);
  for (const { input, told: end } of history) {
    if (end === 'refused' && (worked.has(input) || byInput.has(input)))
      broken.push(`I2 ${input}: was refused, yet it was run`);
    const times = byInput.get(input)?.length ?? 0;
    if (times > 1) broken.push(`I8 ${input}: has ${times} records`);
  }
  for (const [run, status] of seen) {
    const now = byRun.get(run)?.status;
    if (now !== status) broken.push(`I3 ${run}: had ended as ${status} and is ${now} now`);
  }
  const calls = checkCalls(evidence, worked);
  broken.push(...calls.broken, ...checkVersions(records, ledger));
  for (const [run, output] of outputs) {
    const record = byRun.get(run);
    if (record?.status !== 'succeeded' || record.input === null) continue;
    const right = answerTo(record.pattern, record.input);
    if (output !== right) broken.push(`I5 ${record.input}: answered "${output}"`);
  }
  const least = records.reduce((sum, { pattern, status }) => sum + (status === 'succeeded' ? tokensOf(pattern) : 0), 0);
  if (spentTokens < least) broken.push(`I7 the budget has counted ${spentTokens} tokens of ${least} at least`);
  for (const [what, rows] of Object.entries(left)) if (rows > 0) broken.push(`I13 ${what}: ${rows}`);
  const { paidTwice, uncertain, shadowCalls } = calls;
  return { accepted: told.length, lost, paidTwice, uncertain, shadowCalls, broken };
}

/** One call for each step, and one more for each attempt of which nobody knows the end. */
function checkCalls({ records, history, uncertainSteps }: Evidence, worked: ReadonlyMap<string, number>) {
  const broken: string[] = [];
  const known = new Set<string>();
  let paidTwice = 0;
  let uncertain = 0;
  for (const { run, input, pattern, attempts } of records) {
    if (input === null) continue;
    const texts = pattern === 'three' ? stepTexts(input) : [input];
    for (const [at, text] of texts.entries()) {
      known.add(text);
      const calls = worked.get(text) ?? 0;
      const unsure =
        pattern === 'three'
          ? (uncertainSteps.get(`${run} ${['one', 'two', 'three'][at]}`) ?? 0)
          : (attempts ?? []).filter(({ outcome }) => outcome === 'uncertain').length;
      uncertain += unsure;
      // Answers that came broken are attempts of their own, and a failed one may be repeated.
      const failed = input.includes('!') ? (attempts ?? []).filter(({ outcome }) => outcome === 'failed').length : 0;
      if (calls <= 1 + unsure + failed) continue;
      paidTwice += 1;
      broken.push(`I4 ${text}: ${calls} calls, ${unsure} of them uncertain`);
    }
  }
  for (const { run, input, pattern, status } of records)
    if (
      status === 'succeeded' &&
      input !== null &&
      !worked.has(stepTexts(input)[pattern === 'three' ? 2 : 0] as string)
    )
      broken.push(`I4 ${run}: succeeded without a call`);
  // Without a key a call may go out while its acceptance is being committed; a kill then takes both.
  const free = new Set(history.filter(({ keyed, told }) => !keyed && told === null).map(({ input }) => input));
  let shadowCalls = 0;
  for (const [text, calls] of worked) {
    if (known.has(text)) continue;
    shadowCalls += calls;
    if (!free.has(text) || calls > 1) broken.push(`I4 ${text}: ${calls} calls, and no record`);
  }
  return { broken, paidTwice, uncertain, shadowCalls };
}

/** Whatever is published meanwhile: all calls of a version say the same, and no other version says it. */
function checkVersions(records: readonly RunRecord[], ledger: readonly LedgerLine[]): string[] {
  const systems = new Map(ledger.map(({ input, system }) => [input, system]));
  const byVersion = new Map<number, string>();
  const bySystem = new Map<string, number>();
  const broken: string[] = [];
  for (const { input, pattern, version } of records) {
    const system = input === null ? undefined : systems.get(input);
    if (pattern !== 'echo' || system === undefined) continue;
    const before = byVersion.get(version) ?? system;
    const other = bySystem.get(system) ?? version;
    byVersion.set(version, before);
    bySystem.set(system, other);
    if (before !== system || other !== version) broken.push(`I9 ${input}: version ${version} said "${system}"`);
  }
  return broken;
}

function countBy(values: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
