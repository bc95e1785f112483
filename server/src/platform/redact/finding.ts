/** A part of a text that a detector found: from `start` to before `end`. */
export interface Finding {
  readonly start: number;
  readonly end: number;
  /** What it is: `email`, `card`, or the name of an expression. */
  readonly kind: string;
}

/** Finds what is of one kind, in order and without overlaps. Takes time in proportion to the text, whatever it holds. */
export type Detector = (text: string) => Finding[];

/** Findings of several detectors in order; where two overlap, what begins first is kept, and of two the longer one. */
export function inOrder(findings: Finding[]): Finding[] {
  if (findings.length < 2) return findings;
  findings.sort((one, other) => one.start - other.start || other.end - one.end);
  const kept: Finding[] = [];
  let end = 0;
  for (const finding of findings) {
    if (finding.start >= end) kept.push(finding);
    else if (finding.end > end) {
      // What sticks out is found too, and must not stay.
      const last = kept.pop() as Finding;
      kept.push({ ...last, end: finding.end });
    } else continue;
    end = finding.end;
  }
  return kept;
}

/** The text with the name of what was found in its place: `[email]`. */
export function replaceFindings(text: string, findings: readonly Finding[]): string {
  if (findings.length === 0) return text;
  let clean = '';
  let from = 0;
  for (const { start, end, kind } of findings) {
    clean += `${text.slice(from, start)}[${kind}]`;
    from = end;
  }
  return clean + text.slice(from);
}
