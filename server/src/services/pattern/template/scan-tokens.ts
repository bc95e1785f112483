/** A piece of a template between `{{` and `}}`. `body` is its inside; only plugins and extensions hold further tokens. */
export interface Token {
  /** Exactly as written, braces included. */
  readonly source: string;
  readonly start: number;
  readonly end: number;
  readonly body: readonly (string | Token)[];
}

const deepest = 3;
const plainRun = /[^{}]*/y;

/**
 * Splits a template into plain text and tokens, as Fabric reads them: two braces, at least one character that is no brace,
 * two braces; the innermost pair counts, so `{{{x}}}` is a brace, `{{x}}` and a brace. Takes time linear in the text.
 */
export function scanTokens(text: string): (string | Token)[] {
  const found: (string | Token)[] = [];
  let copied = 0;
  let at = text.indexOf('{{');
  while (at !== -1) {
    const token = readToken(text, at, 0);
    if (token) {
      if (at > copied) found.push(text.slice(copied, at));
      found.push(token);
      copied = token.end;
    }
    at = text.indexOf('{{', token ? token.end : at + 1);
  }
  if (copied < text.length) found.push(text.slice(copied));
  return found;
}

/** The one token that the text is, or undefined when it is anything else. */
export function readWholeToken(text: string): Token | undefined {
  const token = text.startsWith('{{') ? readToken(text, 0, 0) : undefined;
  return token?.end === text.length ? token : undefined;
}

// A region is read again at most once for each level of nesting, so the bound on depth is the bound on time.
function readToken(text: string, start: number, depth: number): Token | undefined {
  const body: (string | Token)[] = [];
  let at = start + 2;
  for (;;) {
    plainRun.lastIndex = at;
    const run = plainRun.exec(text)?.[0] ?? '';
    if (run !== '') body.push(run);
    at += run.length;
    if (text.startsWith('}}', at)) {
      return body.length === 0 ? undefined : { source: text.slice(start, at + 2), start, end: at + 2, body };
    }
    if (depth === deepest || !mayHoldTokens(body[0]) || !text.startsWith('{{', at)) return undefined;
    const inner = readToken(text, at, depth + 1);
    if (!inner) return undefined;
    body.push(inner);
    at = inner.end;
  }
}

function mayHoldTokens(first: string | Token | undefined): boolean {
  return typeof first === 'string' && /^(?:plugin|ext):/.test(first);
}
