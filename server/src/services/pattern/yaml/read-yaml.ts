import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import { quoteText, writeOutUnseen } from '../library/quote-text.ts';

/** A place and a reason. Lines count from 1. */
export interface YamlProblem {
  readonly line: number;
  readonly detail: string;
}

/** A parsed file with its problems; the readers below add to them and give undefined for what they refuse. */
export interface YamlSource {
  readonly root: Node | null;
  readonly problems: YamlProblem[];
  refuse(node: unknown, detail: string): undefined;
  /** The line of a node, from 1. */
  lineOf(node: unknown): number;
}

const bytesAllowed = 64 * 1024;
const linesAllowed = 2000;
// A hundred variables with every key are about 5,000; the parser's worst cases grow with this number, not with bytes.
const lexemesAllowed = 8000;
// Schemas are nested; the parser recurses.
const nestingAllowed = 32;
const jsonDepth = 32;
const jsonNodes = 5000;

/**
 * Parses YAML 1.2 with the core schema and nothing that can expand or refer: no anchors, tags, merge keys, directives or second
 * documents. Never throws. Bounds are checked before parsing, so hostile text costs milliseconds.
 */
export function readYaml(text: string): YamlSource {
  const lines = new LineCounter();
  const problems: YamlProblem[] = [];
  const source: YamlSource = {
    root: null,
    problems,
    refuse(node, detail) {
      problems.push({ line: source.lineOf(node), detail });
    },
    lineOf(node) {
      const range = (node as Node | undefined | null)?.range;
      return range ? Math.max(1, lines.linePos(range[0]).line) : 1;
    },
  };
  const bound = faultOfBounds(text);
  if (bound !== undefined) {
    problems.push(bound);
    return source;
  }
  const document: Document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    // Found by `entriesOf` below; the library compares every key with every other.
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'error',
    lineCounter: lines,
  });
  for (const fault of [...document.errors, ...document.warnings].slice(0, 1)) {
    problems.push({ line: Math.max(1, lines.linePos(fault.pos[0]).line), detail: firstSentence(fault.message) });
  }
  return problems.length > 0 ? source : { ...source, root: document.contents as Node | null };
}

function faultOfBounds(text: string): YamlProblem | undefined {
  if (Buffer.byteLength(text) > bytesAllowed) return { line: 1, detail: `holds more than ${bytesAllowed} bytes` };
  let line = 1;
  let lexemes = 0;
  let nesting = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (lexeme === '[' || lexeme === '{') nesting++;
    else if (lexeme === ']' || lexeme === '}') nesting--;
    for (let at = lexeme.indexOf('\n'); at !== -1; at = lexeme.indexOf('\n', at + 1)) line++;
    if (line > linesAllowed) return { line, detail: `has more than ${linesAllowed} lines` };
    // Each escape can be an error of its own, with a stack.
    lexemes += lexeme.startsWith('"') ? 4 * lexeme.split('\\').length : 1;
    if (lexemes > lexemesAllowed) return { line, detail: 'is too complex' };
    if (nesting > nestingAllowed) return { line, detail: 'is nested too deeply' };
    if (lexeme.startsWith('%')) return { line, detail: 'directives are not read; leave the line out' };
  }
  return undefined;
}

const firstSentence = (message: string) => writeOutUnseen(message.split('\n', 1)[0]?.slice(0, 200) ?? '');

export interface YamlEntry {
  readonly key: string;
  /** Stands for the key in messages. */
  readonly keyNode: Node;
  readonly value: Node | null;
}

/** The entries of a mapping, each key a text and there once. `undefined` after a refusal; empty for nothing. */
export function entriesOf(source: YamlSource, node: Node | null, what: string): YamlEntry[] | undefined {
  if (node === null || (isScalar(node) && node.value === null)) return [];
  if (!isMap(node) || refuseMarks(source, node))
    return source.refuse(node, `${what} must be written as "key: value" lines`);
  const entries: YamlEntry[] = [];
  const seen = new Set<string>();
  for (const pair of (node as YAMLMap).items as Pair<Node, Node | null>[]) {
    const key =
      isScalar(pair.key) && !refuseMarks(source, pair.key) ? (pair.key.source ?? String(pair.key.value)) : undefined;
    if (key === undefined) source.refuse(pair.key, `every key of ${what} must be plain text`);
    else if (seen.has(key)) source.refuse(pair.key, `${quoteText(key, 60)} is there twice`);
    else entries.push({ key, keyNode: pair.key, value: pair.value });
    if (key !== undefined) seen.add(key);
  }
  return entries;
}

/** The items of a list. */
export function itemsOf(source: YamlSource, node: Node | null, what: string): (Node | null)[] | undefined {
  if (!isSeq(node) || refuseMarks(source, node)) return source.refuse(node, `${what} must be a list`);
  return node.items as (Node | null)[];
}

/** Text as it was typed: `3.10` stays `3.10`, `no` stays `no`. */
export function textOf(
  source: YamlSource,
  node: Node | null,
  what: string,
  most: number,
  lines = false,
): string | undefined {
  if (!isScalar(node) || node.value === null || refuseMarks(source, node))
    return source.refuse(node, `${what} must be a text`);
  const text = typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
  if (text.length > most) return source.refuse(node, `${what} holds ${text.length} characters; ${most} are allowed`);
  const allowed = lines ? text.replace(/[\n\r\t]/g, '') : text;
  if (/\p{Cc}/u.test(allowed) || !text.isWellFormed()) {
    return source.refuse(node, `${what} holds ${lines ? '' : 'line breaks or '}characters that cannot be shown`);
  }
  return text;
}

export function numberOf(source: YamlSource, node: Node | null, what: string): number | undefined {
  if (isScalar(node) && typeof node.value === 'number' && Number.isFinite(node.value) && !refuseMarks(source, node))
    return node.value;
  return source.refuse(node, `${what} must be a number`);
}

export function booleanOf(source: YamlSource, node: Node | null, what: string): boolean | undefined {
  if (isScalar(node) && typeof node.value === 'boolean' && !refuseMarks(source, node)) return node.value;
  return source.refuse(node, `${what} must be true or false`);
}

/** A value as JSON, for what other tools will read. At most 5,000 values, 32 levels deep. */
export function jsonOf(source: YamlSource, node: Node | null, what: string): unknown {
  let left = jsonNodes;
  const convert = (at: Node | null, depth: number): unknown => {
    if (left-- <= 0)
      return left === -1 ? source.refuse(node, `${what} holds more than ${jsonNodes} values`) : undefined;
    if (depth > jsonDepth) return source.refuse(at, `${what} is nested more than ${jsonDepth} levels deep`);
    if (isMap(at)) {
      const entries = entriesOf(source, at, what) ?? [];
      const unsafe = entries.find(({ key }) => key === '__proto__');
      if (unsafe) return source.refuse(unsafe.keyNode, `${what} must not hold the key __proto__`);
      return Object.fromEntries(entries.map(({ key, value }) => [key, convert(value, depth + 1)]));
    }
    if (isSeq(at)) return (itemsOf(source, at, what) ?? []).map((item) => convert(item, depth + 1));
    if (at === null || (isScalar(at) && at.value === null)) return null;
    if (isScalar(at) && typeof at.value === 'boolean') return booleanOf(source, at, what);
    if (isScalar(at) && typeof at.value === 'number') return numberOf(source, at, what);
    return textOf(source, at, `a value of ${what}`, bytesAllowed, true);
  };
  return convert(node, 1);
}

function refuseMarks(source: YamlSource, node: Node): boolean {
  const marked = 'anchor' in node && node.anchor !== undefined;
  if (!marked && node.tag === undefined) return false;
  source.refuse(node, 'anchors (&), aliases (*) and tags (!) are not read; write the value out');
  return true;
}
