import type { CallWork, MapReduce, PlannedCall, PlannedText } from '../chain/chain-plan.ts';
import { mapPath, partsAllowed, reducePath } from '../chain/chain-plan.ts';
import { skipped } from '../chain/combine-outcomes.ts';
import { type ChainScope, resolveText } from '../chain/resolve-reference.ts';
import { groupTexts, splitText } from '../chain/split-text.ts';
import { storableText } from '../run/output-text.ts';
import { beginCall, toEnd } from './begin-call.ts';
import { beginMany } from './begin-many.ts';
import { keepEnd, keepSkipped } from './keep-end.ts';
import type { Ended, Host, Part } from './part.ts';

/** A step, or one item of it: a call, a chain in place of a call, or a long input in parts. */
export function beginUnit(host: Host, path: string, work: CallWork, scope: ChainScope, ended: Ended): Part | undefined {
  const { mapReduce } = work;
  // What is at hand is not made again: its texts may be long, and there may be thousands.
  const kept = mapReduce || work.call.chain ? undefined : host.record(path);
  if (kept && kept.state !== 'waiting') {
    ended(toEnd(kept));
    return undefined;
  }
  const input = resolveClean(work.input, scope);
  if (input === undefined) {
    keepSkipped(host, path, work.call.pin);
    ended({ ok: true, outcome: skipped });
    return undefined;
  }
  if (mapReduce) return beginMapReduce(host, path, work, mapReduce, input, scope, ended);
  return beginPlanned(host, path, work, work.call, input, scope, ended);
}

function beginPlanned(
  host: Host,
  path: string,
  work: CallWork,
  { pin, chain, variables }: PlannedCall,
  input: string,
  scope: ChainScope,
  ended: Ended,
): Part | undefined {
  if (!host.count()) {
    ended({
      ok: false,
      error: { code: 'policy_refused', detail: 'The chain came to more calls than one run may make.' },
    });
    return undefined;
  }
  const given = resolveAll(variables, scope);
  if (chain) return host.chain({ plan: chain, frame: path, input, variables: given }, keepEnd(host, path, pin, ended));
  const own = pin === work.call.pin;
  return beginCall(
    host,
    {
      path,
      pattern: pin,
      input,
      variables: given,
      timeoutMs: work.timeout_ms,
      retry: work.retry,
      ...(own && work.model !== null ? { model: work.model } : {}),
      ...(own && Object.keys(work.parameters).length > 0 ? { parameters: work.parameters } : {}),
    },
    ended,
  );
}

function beginMapReduce(
  host: Host,
  path: string,
  work: CallWork,
  { size, overlap, parallel, reduce }: MapReduce,
  input: string,
  scope: ChainScope,
  told: Ended,
): Part | undefined {
  const ended = keepEnd(host, path, work.call.pin, told);
  const parts = splitText(input, { size, overlap });
  if (parts === undefined) {
    const detail = `The input would be more than ${partsAllowed} parts. Make the parts larger, or the input shorter.`;
    ended({ ok: false, error: { code: 'input_too_long', detail } });
    return undefined;
  }
  if (parts.length < 2) return beginPlanned(host, mapPath(path, 0), work, work.call, input, scope, ended);
  let open: Part | undefined;
  let cancelled = false;
  const round = (number: number, texts: readonly string[], call: PlannedCall, place: (part: number) => string) => {
    const part = beginMany(
      texts.length,
      parallel,
      (index, one) => beginPlanned(host, place(index), work, call, texts[index] as string, scope, one),
      (end) => {
        if (!end.ok || cancelled) return ended(end.ok ? { ok: true, outcome: skipped } : end);
        const [only] = end.outcomes;
        if (number > 0 && end.outcomes.length === 1) return ended({ ok: true, outcome: only ?? skipped });
        const answers = end.outcomes.map(({ output }) => output).filter((output) => output !== null);
        if (answers.length === 0) return ended({ ok: true, outcome: skipped });
        round(number + 1, groupTexts(answers, size), reduce, (index) => reducePath(path, number + 1, index));
        reached = number + 1;
      },
    );
    // Rounds whose records are at hand end within one another: the last one begun is the open one.
    if (reached <= number) open = part;
  };
  let reached = 0;
  round(0, parts, work.call, (index) => mapPath(path, index));
  return {
    cancel() {
      cancelled = true;
      open?.cancel();
    },
  };
}

/** Fields of a JSON answer may hold what a text must not. */
function resolveClean(text: PlannedText, scope: ChainScope): string | undefined {
  const resolved = resolveText(text, scope);
  return resolved === undefined ? undefined : storableText(resolved, resolved.length);
}

function resolveAll(texts: Readonly<Record<string, PlannedText>>, scope: ChainScope): Record<string, string> {
  const found: [string, string][] = [];
  for (const [name, text] of Object.entries(texts)) {
    const value = resolveClean(text, scope);
    if (value !== undefined) found.push([name, value]);
  }
  return Object.fromEntries(found);
}
