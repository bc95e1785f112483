/** What the client was told about one input. */
export type Told =
  | { readonly input: string; readonly kind: 'succeeded'; readonly run: string; readonly output: string }
  | { readonly input: string; readonly kind: 'accepted'; readonly run: string }
  | { readonly input: string; readonly kind: 'failed'; readonly run: string; readonly code: string }
  | { readonly input: string; readonly kind: 'refused'; readonly status: number }
  | { readonly input: string; readonly kind: 'lost connection' };

/** What the database holds, for one run. */
export interface Recorded {
  readonly run: string;
  readonly input: string;
  readonly accepted: boolean;
  readonly status: string | null;
}

export interface Comparison {
  readonly compared: number;
  /** Each is a promise that was broken. */
  readonly faults: readonly string[];
  /** Calls that went out in the shadow of a record that a kill prevented: allowed, and counted. */
  readonly shadowCalls: number;
  readonly interrupted: number;
}

/** Holds the client's history and the provider's ledger against the records. */
export function compareRecords(
  told: readonly Told[],
  ledger: readonly string[],
  records: readonly Recorded[],
): Comparison {
  const faults: string[] = [];
  const byRun = new Map(records.map((record) => [record.run, record]));
  const byInput = Map.groupBy(records, (record) => record.input);
  const calls = Map.groupBy(ledger, (input) => input);
  const toldByInput = new Map(told.map((entry) => [entry.input, entry]));

  for (const entry of told) {
    const { input, kind } = entry;
    if ((byInput.get(input)?.length ?? 0) > 1) faults.push(`${input}: has more than one record`);
    if (kind === 'succeeded' || kind === 'failed') {
      const record = byRun.get(entry.run);
      if (!record?.status)
        faults.push(`${input}: told to have ${kind}, but its record is ${record ? 'without an end' : 'missing'}`);
      else if (kind === 'failed' && entry.code === 'unrecorded') continue;
      else if (record.status !== kind) faults.push(`${input}: told to have ${kind}, recorded as ${record.status}`);
      else if (record.input !== input) faults.push(`${input}: its run is recorded with the input ${record.input}`);
    }
    if (kind === 'accepted' && !byRun.get(entry.run)?.status) faults.push(`${input}: was accepted and never ended`);
    if (kind === 'succeeded' && entry.output !== `echo ${input}`) faults.push(`${input}: got the answer of another`);
    if (kind === 'refused' && (calls.has(input) || byInput.has(input)))
      faults.push(`${input}: was refused, yet it was run`);
  }
  for (const record of records) {
    if (record.status === null) faults.push(`${record.input}: was accepted and never ended`);
    if (record.status === 'succeeded' && !calls.has(record.input))
      faults.push(`${record.input}: succeeded without a call`);
  }
  let shadowCalls = 0;
  for (const [input, made] of calls) {
    if (made.length > 1) faults.push(`${input}: was called ${made.length} times`);
    if (byInput.has(input)) continue;
    if (toldByInput.get(input)?.kind === 'lost connection') shadowCalls += 1;
    else faults.push(`${input}: was called, has no record, and its client was told ${toldByInput.get(input)?.kind}`);
  }
  const interrupted = records.filter((record) => record.status === 'failed').length;
  return { compared: told.length, faults, shadowCalls, interrupted };
}
