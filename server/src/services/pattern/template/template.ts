import { codeFences } from './code-fences.ts';
import type { Part, Slot } from './parts.ts';
import { createBlockReader, dropTagLines, faultInBlock, tagOf, unknownTag } from './read-blocks.ts';
import { scanTokens, type Token } from './scan-tokens.ts';
import { tagForms } from './tags.ts';
import { dateFunctions, relativeTime, textFunctions } from './template-functions.ts';

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
  /** What blocks ask of variables. */
  readonly conditions: readonly Condition[];
  /** The texts that the template includes, in the order of their tags. */
  readonly includes: readonly IncludeTag[];
}

export interface Condition {
  readonly name: string;
  readonly equals: string | null;
  readonly token: string;
  readonly line: number;
}

export interface IncludeTag {
  readonly pattern: string;
  /** Null: the whole text. */
  readonly section: string | null;
  readonly token: string;
  readonly line: number;
  /** Offset in the text. */
  readonly start: number;
}

export interface TemplateOptions {
  /** Names of variables that the pattern declares: these always win. */
  readonly declared?: Iterable<string>;
  /** Whole tokens, with their braces, that stay as they are. */
  readonly literals?: Iterable<string>;
  /** True: only declared names are variables, every other name is literal text. */
  readonly closed?: boolean;
  /** 2: blocks and includes are read, and every other token must be one that is known. Else 1. */
  readonly language?: 1 | 2;
  /** What stands for each include, in order; nothing where it is absent. */
  readonly included?: readonly (readonly Part[])[];
}

export const variableName = /^[A-Za-z_][A-Za-z0-9_-]{0,99}$/;
/** Names that would reach into JavaScript's own objects wherever a value is looked up carelessly, and `input`, which is taken. */
export const refusedNames: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  // Not among them in a process that has taken it away.
  '__proto__',
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
  const strict = options.language === 2;
  const pieces = scanTokens(text);
  const inFence = strict ? () => false : fenceFinder(text, pieces);
  const known = options.closed ? declared : new Set([...declared, ...namesOutside(pieces, inFence)]);
  const variables = new Set<string>();
  const literalTokens = new Set<string>();
  const disabled = new Set<string>();
  const problems: TokenProblem[] = [];
  const conditions: Condition[] = [];
  const includes: IncludeTag[] = [];
  const blocks = createBlockReader();
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
    if (strict && !options.closed) return refuse(token, strictFault(token, first));
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

  const isTag = (token: Token) => strict && !literals.has(token.source) && tagOf(token) !== undefined;

  const readTag = (token: Token): void => {
    const tag = tagOf(token);
    if (tag === undefined) return;
    if (tag === 'unknown') {
      blocks.add(refuse(token, unknownTag));
      return;
    }
    if (tag.kind === 'include') {
      const parts = options.included?.[includes.length] ?? [];
      const { pattern, section } = tag;
      includes.push({ pattern, section, token: token.source, line, start: token.start });
      for (const part of parts) put(token, part);
      return;
    }
    if (tag.kind === 'open') {
      variables.add(tag.name);
      conditions.push({ name: tag.name, equals: tag.equals, token: token.source, line });
    }
    const detail = blocks.tag(tag, token, line);
    if (detail !== undefined) refuse(token, detail);
  };

  const put = (token: Token, part: Part): void => {
    const fault = blocks.inside ? faultInBlock(part) : undefined;
    if (fault !== undefined) refuse(token, fault);
    blocks.add(part);
  };

  const kept = strict ? dropTagLines(pieces, (token) => isTag(token) && !isInclude(token)) : pieces;
  for (const [index, piece] of kept.entries()) {
    if (typeof piece === 'string') blocks.add(piece);
    else if (isTag(piece)) readTag(piece);
    else put(piece, read(piece));
    const written = pieces[index] as string | Token;
    line += newlines(typeof written === 'string' ? written : written.source);
  }
  const { parts, open } = blocks.end();
  for (const { token, line: at, detail } of open) {
    if (problems.length < listed) problems.push({ token: shorten(token.source), line: at, detail });
  }
  return {
    parts,
    variables: [...variables],
    literalTokens: [...literalTokens],
    disabledCapabilities: [...disabled],
    problems,
    conditions,
    includes,
  };
}

function isInclude(token: Token): boolean {
  const tag = tagOf(token);
  return typeof tag === 'object' && tag.kind === 'include';
}

function strictFault(token: Token, first: string): string {
  if (refusedNames.has(first)) return 'has a name that no variable may have; choose another';
  if (tagOf(token) !== undefined) return 'is a tag and cannot stand inside a call';
  const name = first.trim();
  const rule = 'list it under literal_tokens in pattern.yaml to keep it as text';
  if (name !== first && variableName.test(name)) return `has white space; write {{${name}}}, or ${rule}`;
  if (variableName.test(name)) return `is no declared variable; declare ${name} under variables, or ${rule}`;
  return `does not name a variable (letters, digits, _ and -, at most 100) and is no tag. There are ${tagForms}; or ${rule}`;
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

const shorten = (token: string) => (token.length > 200 ? `${token.slice(0, 199).toWellFormed()}…` : token);

function newlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
