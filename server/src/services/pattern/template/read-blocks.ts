import { appendPart, type Part, usesInput } from './parts.ts';
import type { Token } from './scan-tokens.ts';
import { type Block, blocksNested, readTag, type Tag, tagForms } from './tags.ts';

interface OpenBlock {
  readonly token: Token;
  readonly line: number;
  readonly block: Block;
  readonly name: string;
  readonly equals: string | null;
  readonly first: Part[];
  /** What follows `{{else}}`. */
  second: Part[] | undefined;
}

/** Puts the parts of a template in order, those of blocks inside their blocks. */
export interface BlockReader {
  /** Whether the next part stands in a block. */
  readonly inside: boolean;
  add(part: Part): void;
  /** Takes a tag; the reason why it cannot stand there, or undefined. */
  tag(tag: Exclude<Tag, { kind: 'include' }>, token: Token, line: number): string | undefined;
  /** All parts, and the blocks that were never closed. */
  end(): { parts: readonly Part[]; open: readonly { token: Token; line: number; detail: string }[] };
}

export function createBlockReader(): BlockReader {
  const parts: Part[] = [];
  const open: OpenBlock[] = [];
  const target = () => {
    const block = open.at(-1);
    return block ? (block.second ?? block.first) : parts;
  };

  function close(block: OpenBlock): void {
    const [met, unmet] = block.block === 'if' ? [block.first, block.second ?? []] : [block.second ?? [], block.first];
    appendPart(target(), { kind: 'choice', name: block.name, equals: block.equals, met, unmet });
  }

  return {
    get inside() {
      return open.length > 0;
    },
    add: (part) => appendPart(target(), part),
    tag(tag, token, line) {
      const block = open.at(-1);
      if (tag.kind === 'open') {
        const { name, equals } = tag;
        open.push({ token, line, block: tag.block, name, equals, first: [], second: undefined });
        return open.length > blocksNested ? `is nested more than ${blocksNested} levels deep` : undefined;
      }
      if (!block) return `has no {{#if}} or {{#unless}} before it`;
      if (tag.kind === 'else') {
        if (block.second) return `is the second {{else}} of the block of line ${block.line}`;
        block.second = [];
        return undefined;
      }
      if (tag.block !== block.block)
        return `closes nothing: the block of line ${block.line} ends with {{/${block.block}}}`;
      open.pop();
      close(block);
      return undefined;
    },
    end() {
      const left = open.map(({ token, line, block }) => ({
        token,
        line,
        detail: `is never closed with {{/${block}}}`,
      }));
      for (let block = open.pop(); block; block = open.pop()) close(block);
      return { parts, open: left };
    },
  };
}

/** Why a part may not stand in a block, or undefined. */
export function faultInBlock(part: Part): string | undefined {
  // Where the input goes may not hang on a value: then a run could lose it.
  return usesInput(part) ? 'cannot stand in a block; {{input}} has one place, whatever the values are' : undefined;
}

/** The pieces without the lines that hold nothing but one tag: such a line leaves with its line break. */
export function dropTagLines(
  pieces: readonly (string | Token)[],
  isTag: (token: Token) => boolean,
): (string | Token)[] {
  const alone = pieces.map((piece, index) => {
    if (typeof piece === 'string' || !isTag(piece)) return false;
    const before = pieces[index - 1];
    const after = pieces[index + 1];
    return endsALine(before, index - 1 === 0) && beginsALine(after, index + 2 === pieces.length);
  });
  return pieces.map((piece, index) => {
    if (typeof piece !== 'string') return piece;
    const from = alone[index - 1] ? piece.indexOf('\n') + 1 || piece.length : 0;
    const to = alone[index + 1] ? Math.max(piece.lastIndexOf('\n') + 1, from) : piece.length;
    return piece.slice(from, to);
  });
}

function endsALine(piece: string | Token | undefined, first: boolean): boolean {
  if (piece === undefined) return true;
  if (typeof piece !== 'string') return false;
  const newline = piece.lastIndexOf('\n');
  return (newline !== -1 || first) && isBlank(piece, newline + 1, piece.length);
}

function beginsALine(piece: string | Token | undefined, last: boolean): boolean {
  if (piece === undefined) return true;
  if (typeof piece !== 'string') return false;
  const newline = piece.indexOf('\n');
  return (newline !== -1 || last) && isBlank(piece, 0, newline === -1 ? piece.length : newline);
}

function isBlank(text: string, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (!' \t\r'.includes(text[at] as string)) return false;
  return true;
}

/** The tag of a token, in language 2. */
export function tagOf(token: Token): Tag | 'unknown' | undefined {
  const [first] = token.body;
  return token.body.length === 1 && typeof first === 'string' ? readTag(first) : undefined;
}

export const unknownTag = `is no tag of the template language. It has ${tagForms}; list the token under literal_tokens in pattern.yaml to keep it as text`;
