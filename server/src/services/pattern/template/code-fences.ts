const opening = /^ {0,3}(`{3,}|~{3,})(.*)$/;

/** The fenced code of a Markdown text as offsets [from, to), in order. A fence that is never closed reaches to the end. */
export function codeFences(text: string): [from: number, to: number][] {
  const fences: [number, number][] = [];
  let open: { mark: string; from: number } | undefined;
  let lineStart = 0;
  while (lineStart < text.length) {
    const newline = text.indexOf('\n', lineStart);
    const lineEnd = newline === -1 ? text.length : newline;
    // Only a short prefix decides, so a line of a megabyte costs nothing.
    const line = text.slice(lineStart, Math.min(lineEnd, lineStart + 200)).trimEnd();
    const match = opening.exec(line);
    if (match) {
      const [, mark = '', info = ''] = match;
      if (!open) {
        if (!(mark.startsWith('`') && info.includes('`'))) open = { mark, from: lineStart };
      } else if (mark[0] === open.mark[0] && mark.length >= open.mark.length && info === '') {
        fences.push([open.from, lineEnd]);
        open = undefined;
      }
    }
    lineStart = lineEnd + 1;
  }
  if (open) fences.push([open.from, text.length]);
  return fences;
}
