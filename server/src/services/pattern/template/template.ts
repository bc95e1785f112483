import { codeFences } from './code-fences.ts';
import { scanTokens, type Token } from './scan-tokens.ts';
import {
  type DateFunction,
  dateFunctions,
  relativeTime,
  type TextFunction,
  textFunctions,
} from './template-functions.ts';

/** What a value is put in for. Strings of a template stand as they are. */
export type Slot =
  | { readonly kind: 'input' }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'text'; readonly call: TextFunction; readonly argument: readonly Part[] }
  | { readonly kind: 'datetime'; readonly call: DateFunction | 'rel'; readonly argument: readonly Part[] };
export type Part = string | Slot;

export interface TokenProblem {
  readonly token: string;
  /** From 1. */
  readonly line: number;
  readonly detail: string;
}

/** A template after its one reading. Nothing that is put into it later is read again. */
export interface CompiledTemplate {
  readonly parts: readonly Part[];
  /** Names that the text uses, in order. */
  readonly variables: readonly string[];
  /** Template-like text that stays as it is; the first 1,000. */
  readonly literalTokens: readonly string[];
  /** Tokens that would need files, the system, the network or programs; they stay as they are. */
  readonly disabledCapabilities: readonly string[];
  /** Tokens that look meant but cannot be; they stay as they are until the author decides. */
  readonly problems: readonly TokenProblem[];
}

export interface TemplateOptions {
  /** Names of variables that the pattern declares: these always win. */
  readonly declared?: Iterable<string>;
  /** Whole tokens, with their braces, that stay as they are. */
  readonly literals?: Iterable<string>;
  /** True: only declared names are variables, every other name is literal text. */
  readonly closed?: boolean;
}

export const variableName = /^[A-Za-z_][A-Za-z0-9_-]{0,99}$/;
/** Names that would reach into JavaScript's own objects wherever a value is looked up carelessly, and `input`, which is taken. */
export const refusedNames: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  'prototype',
  'input',
]);

const listed = 1000;
// `{{BaseURL}}` is another tool's spelling, `{{TOPIC}}` and `{{userName}}` are how people write variables.
const inCamelCase = (name: string) => /^[A-Z][A-Za-z0-9]{1,99}$/.test(name) && /[a-z]/.test(name);

/** Reads a template once. Never throws: what cannot be used is literal text and, where it looks meant, a problem. */
export function compileTemplate(text: string, options: TemplateOptions = {}): CompiledTemplate {
  const declared = new Set(options.declared);
  const literals = new Set(options.literals);
  const pieces = scanTokens(text);
  const inFence = fenceFinder(text, pieces);
  const known = options.closed ? declared : new Set([...declared, ...namesOutside(pieces, inFence)]);
  const variables = new Set<string>();
  const literalTokens = new Set<string>();
  const disabled = new Set<string>();
  const problems: TokenProblem[] = [];
  let line = 1;

  const literal = (token: Token): string => {
    if (literalTokens.size < listed) literalTokens.add(shorten(token.source));
    return token.source;
  };
  const refuse = (token: Token, detail: string): string => {
    if (problems.length < listed) {
      problems.push({ token: shorten(token.source), line, detail });
    }
    return literal(token);
  };

  const read = (token: Token): Part => {
    const [first] = token.body;
    if (typeof first !== 'string' || literals.has(token.source)) return literal(token);
    if (first === 'input') return { kind: 'input' };
    if (/^(?:plugin|ext):/.test(first)) return readCall(token, first);
    if (known.has(first)) {
      variables.add(first);
      return { kind: 'variable', name: first };
    }
    if (options.closed || inCamelCase(first) || /\s/.test(first) || inFence(token)) return literal(token);
    return refuse(
      token,
      refusedNames.has(first)
        ? 'has a name that no variable may have; choose another'
        : 'does not name a variable: use letters, digits, _ and - (at most 100), or list it under literal_tokens in pattern.yaml',
    );
  };

  const readCall = (token: Token, first: string): Part => {
    const [head, namespace, call = ''] = /^plugin:(text|datetime)(?::([^:]*))?/.exec(first) ?? [];
    if (head === undefined || (first.length > head.length && first[head.length] !== ':')) return disable(token);
    const argument: Part[] = [];
    if (first.length > head.length + 1) argument.push(first.slice(head.length + 1));
    for (const item of token.body.slice(1)) argument.push(typeof item === 'string' ? item : read(item));
    if (token.body.some((item) => typeof item !== 'string' && disabled.has(shorten(item.source))))
      return disable(token);
    const detail = faultOfCall(namespace as 'text' | 'datetime', call, argument);
    if (detail !== undefined) return refuse(token, detail);
    return { kind: namespace, call, argument } as Slot;
  };

  const disable = (token: Token): string => {
    if (disabled.size < listed) disabled.add(shorten(token.source));
    return token.source;
  };

  const parts: Part[] = [];
  for (const piece of pieces) {
    append(parts, typeof piece === 'string' ? piece : read(piece));
    line += newlines(typeof piece === 'string' ? piece : piece.source);
  }
  return {
    parts,
    variables: [...variables],
    literalTokens: [...literalTokens],
    disabledCapabilities: [...disabled],
    problems,
  };
}

function faultOfCall(namespace: 'text' | 'datetime', call: string, argument: readonly Part[]): string | undefined {
  const calls = namespace === 'text' ? Object.keys(textFunctions) : [...Object.keys(dateFunctions), 'rel'];
  if (!calls.includes(call)) return `plugin:${namespace} knows ${calls.join(', ')}`;
  if (namespace === 'text' && argument.length === 0) return `plugin:text:${call} needs a value after it`;
  const fixed = argument.every((part) => typeof part === 'string') ? argument.join('') : undefined;
  if (call === 'rel' && fixed !== undefined && relativeTime(0, fixed) === undefined) {
    return 'rel takes a distance such as -2d, 1w, 1y or 90m';
  }
  return undefined;
}

// A name used in the open is meant as a variable; the same name in a fence then is one too.
function namesOutside(pieces: readonly (string | Token)[], inFence: (token: Token) => boolean): Set<string> {
  const names = new Set<string>();
  const visit = (token: Token): void => {
    const [first] = token.body;
    if (token.body.length === 1 && typeof first === 'string' && variableName.test(first)) {
      if (!inCamelCase(first) && !refusedNames.has(first)) names.add(first);
    }
    for (const item of token.body) if (typeof item !== 'string') visit(item);
  };
  for (const piece of pieces) {
    if (typeof piece === 'string') continue;
    if (piece.body.length > 1 || !inFence(piece)) visit(piece);
  }
  return names;
}

function fenceFinder(text: string, pieces: readonly (string | Token)[]): (token: Token) => boolean {
  if (pieces.every((piece) => typeof piece === 'string')) return () => false;
  const fenced = new Set<Token>();
  const fences = codeFences(text);
  let next = 0;
  for (const piece of pieces) {
    if (typeof piece === 'string') continue;
    while ((fences[next]?.[1] ?? Number.POSITIVE_INFINITY) <= piece.start) next++;
    if ((fences[next]?.[0] ?? Number.POSITIVE_INFINITY) <= piece.start) fenced.add(piece);
  }
  return (token) => fenced.has(token);
}

function append(parts: Part[], part: Part): void {
  const last = parts.at(-1);
  if (typeof part === 'string' && typeof last === 'string') parts[parts.length - 1] = last + part;
  else parts.push(part);
}

const shorten = (token: string) => (token.length > 200 ? `${token.slice(0, 199).toWellFormed()}…` : token);

function newlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
