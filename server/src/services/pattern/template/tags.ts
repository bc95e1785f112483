import { namePattern } from '@damask/contracts/field.ts';

/** A tag of the template language 2. */
export type Tag =
  | { readonly kind: 'open'; readonly block: Block; readonly name: string; readonly equals: string | null }
  | { readonly kind: 'else' }
  | { readonly kind: 'close'; readonly block: Block }
  | { readonly kind: 'include'; readonly pattern: string; readonly section: string | null };
export type Block = 'if' | 'unless';

export const blocksNested = 10;

const opening = /^#(if|unless) +([A-Za-z_][A-Za-z0-9_-]{0,99})(?: *== *"([^"]{0,200})")? *$/;
const including = new RegExp(`^> *(${namePattern.slice(1, -1)})(?:#([^#]{1,200}))? *$`);

/** Every form that there is, for messages. */
export const tagForms =
  '{{#if name}}, {{#if name == "value"}}, {{#unless name}}, {{else}}, {{/if}}, {{/unless}}, {{> pattern}} and {{> pattern#Section}}';

/** The tag that the inside of a token is; `unknown` when it looks like one and is none; undefined for anything else. */
export function readTag(inside: string): Tag | 'unknown' | undefined {
  if (inside === 'else') return { kind: 'else' };
  if (inside === '/if') return { kind: 'close', block: 'if' };
  if (inside === '/unless') return { kind: 'close', block: 'unless' };
  if (!/^\s*(?:[#/>^!&*%@]|else\b)/.test(inside)) return undefined;
  const [, block, name, equals = null] = opening.exec(inside) ?? [];
  if (block && name) return { kind: 'open', block: block as Block, name, equals };
  const [, pattern, section] = including.exec(inside) ?? [];
  if (pattern) return { kind: 'include', pattern, section: section?.trim() || null };
  return 'unknown';
}
