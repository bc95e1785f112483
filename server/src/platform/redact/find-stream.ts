import type { Finding } from './finding.ts';

/** A text that comes in pieces, looked through while it passes. */
export interface FindStream {
  /** What can go out now. What could be the beginning of a finding waits for what follows it. */
  push(piece: string): string;
  /** The rest. */
  end(): string;
}

export interface FindStreamOptions {
  find(text: string): readonly Finding[];
  /** A text for a finding; undefined: nothing of it and of what follows goes out any more. */
  found(finding: Finding): string | undefined;
  /** Characters within which each finding can be told to be one. */
  reach: number;
}

/** Characters that must have come since the last look. */
const step = 64;
/** Characters that are held back at most. Of a finding that goes on for longer the rest is dropped as it comes. */
const most = 16 * 1024;
/** So much of its beginning is enough to tell that what comes still belongs to it. */
const head = 2 * 1024;

/**
 * Holds back the last `reach` characters, so that what is split over pieces is found before any of it has gone out. Goes on at a
 * white space only, so that no detector takes the middle of a word for its beginning.
 */
export function createFindStream({ find, found, reach }: FindStreamOptions): FindStream {
  let held = '';
  let looked = 0;
  let stopped = false;
  // The text begins with a finding that was told already and has not ended.
  let swallowing = false;

  function look(last: boolean): string {
    let findings = find(held);
    const [begun] = findings;
    if (swallowing && begun?.start !== 0) swallowing = false;
    else if (swallowing && begun && (last || begun.end < held.length)) {
      held = held.slice(begun.end);
      swallowing = false;
      findings = find(held);
    }
    const until = last ? held.length : endOfSure(findings);
    let out = '';
    let from = 0;
    for (const finding of findings) {
      if (finding.start >= until) break;
      out += held.slice(from, finding.start);
      from = Math.min(finding.end, until);
      if (swallowing) continue;
      const by = found(finding);
      if (by === undefined) {
        stopped = true;
        held = '';
        return out;
      }
      out += by;
    }
    out += held.slice(from, until);
    const open = findings.at(-1);
    const goesOn = !last && open !== undefined && open.start < until && open.end === held.length;
    swallowing = goesOn;
    held = goesOn ? shorten(held.slice(open.start)) : held.slice(until);
    looked = held.length;
    return out;
  }

  /** Up to here nothing changes by what comes. */
  function endOfSure(findings: readonly Finding[]): number {
    if (swallowing) return held.length;
    const long = held.length > most;
    const open = findings.at(-1);
    if (open?.end === held.length && long && held.length - open.start > most / 2) return held.length;
    const sure = Math.min(held.length - reach, open?.end === held.length ? open.start : held.length);
    if (sure <= 0) return 0;
    const space = Math.max(held.lastIndexOf(' ', sure - 1), held.lastIndexOf('\n', sure - 1)) + 1;
    const until = space > 0 || !long ? space : sure;
    const across = findings.find(({ start, end }) => start < until && end > until);
    return across ? across.start : until;
  }

  return {
    push(piece) {
      if (stopped) return '';
      held += piece;
      return held.length - looked < step ? '' : look(false);
    },
    end() {
      return stopped ? '' : look(true);
    },
  };
}

/** Its beginning, and its end, where the line may be that ends it. */
const shorten = (text: string) => (text.length <= head + 64 ? text : text.slice(0, head) + text.slice(-64));
