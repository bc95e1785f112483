import type { DateFunction, TextFunction } from './template-functions.ts';

/** What a value is put in for, or a choice between two texts. Strings of a template stand as they are. */
export type Slot =
  | { readonly kind: 'input' }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'text'; readonly call: TextFunction; readonly argument: readonly Part[] }
  | { readonly kind: 'datetime'; readonly call: DateFunction | 'rel'; readonly argument: readonly Part[] }
  | Choice;
export type Part = string | Slot;

/** `met` stands where the variable has a value other than `false`, or the value of `equals`; else `unmet` does. */
export interface Choice {
  readonly kind: 'choice';
  readonly name: string;
  readonly equals: string | null;
  readonly met: readonly Part[];
  readonly unmet: readonly Part[];
}

/** Adds a part at the end; neighbouring texts become one. */
export function appendPart(parts: Part[], part: Part): void {
  const last = parts.at(-1);
  if (typeof part === 'string' && typeof last === 'string') parts[parts.length - 1] = last + part;
  else if (part !== '') parts.push(part);
}

/** Without white space of the author's own text at the edges; a value at the edge keeps its own. */
export function trimEdges(parts: readonly Part[]): Part[] {
  const trimmed = [...parts];
  const [first] = trimmed;
  if (typeof first === 'string') trimmed[0] = first.trimStart();
  const last = trimmed.at(-1);
  if (typeof last === 'string') trimmed[trimmed.length - 1] = last.trimEnd();
  return trimmed.filter((part) => part !== '');
}

/** Without an `{{input}}` that stands alone on the last line: Fabric adds that line to a pattern that has none. */
export function withoutLastInput(parts: readonly Part[]): readonly Part[] {
  const last = parts.at(-1);
  if (last === undefined || typeof last === 'string' || last.kind !== 'input') return parts;
  const before = parts.at(-2);
  const alone = before === undefined || (typeof before === 'string' && /\n[ \t]*$/.test(before));
  if (!alone || parts.slice(0, -1).some(usesInput)) return parts;
  return trimEdges(parts.slice(0, -1));
}

export function usesInput(part: Part): boolean {
  if (typeof part === 'string') return false;
  if (part.kind === 'choice') return part.met.some(usesInput) || part.unmet.some(usesInput);
  return part.kind === 'input' || ('argument' in part && part.argument.some(usesInput));
}
