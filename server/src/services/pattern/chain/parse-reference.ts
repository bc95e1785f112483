import { quoteText } from '../library/quote-text.ts';
import { nameClosest } from '../yaml/name-closest.ts';
import type { DataPath, PlannedText, Reference } from './chain-plan.ts';

export interface Fault {
  readonly fault: string;
}

const roots = ['$input', '$variables', '$steps', '$item', '$index'];
const forms = '$input, $variables.name, $steps.name.output, $steps.name.data.field[0], $item, $item.field, $index';
const segment = /^(?:\.([A-Za-z_][A-Za-z0-9_-]*)|\[(\d{1,6})\]|\["([^"\\]{1,200})"\])/;
const within = /\$(?:input|index|item|variables\.|steps\.)/;
const pathAllowed = 20;

/** Reads a reference. Nothing in it is evaluated: it names a place, or it is at fault. */
export function parseReference(text: string): Reference | Fault {
  const root = /^\$[A-Za-z]*/.exec(text)?.[0] ?? '';
  if (!roots.includes(root)) {
    const closest = root.length > 2 ? nameClosest(root, roots) : '';
    return { fault: `${quoteText(text, 60)} is no reference${closest}. There are ${forms}` };
  }
  const path = parsePath(text.slice(root.length));
  if (path === undefined) return { fault: `${quoteText(text, 60)} is no reference. There are ${forms}` };
  const [first, second, ...rest] = path;
  if (root === '$item') return { from: 'item', path };
  if (root === '$input' || root === '$index') {
    if (path.length === 0) return { from: root === '$input' ? 'input' : 'index' };
    return { fault: `${quoteText(text, 60)} goes into ${root}, which has no parts; write ${root}` };
  }
  if (root === '$variables' && typeof first === 'string' && path.length === 1) return { from: 'variable', name: first };
  if (root === '$steps' && typeof first === 'string') {
    if (second === 'output' && rest.length === 0) return { from: 'output', step: first };
    if (second === 'data') return { from: 'data', step: first, path: rest };
    return { fault: `${quoteText(text, 60)} must go on with .output (its text) or .data (its value)` };
  }
  return { fault: `${quoteText(text, 60)} is no reference. There are ${forms}` };
}

/** Reads one part of what a step says: a reference, or a text, in which `$$` is a dollar. */
export function parsePart(text: string): PlannedText[number] | Fault {
  if (text.startsWith('$') && !text.startsWith('$$')) {
    const parsed = parseReference(text.trim());
    if (!('fault' in parsed) || within.test(text.slice(0, 11))) return parsed;
    return { fault: `${parsed.fault}; for a text that begins with $ write $$` };
  }
  const found = within.exec(text.replaceAll('$$', '  '));
  if (found) {
    const shown = quoteText(text.slice(found.index, found.index + 40), 40);
    return { fault: `${shown} is a reference within a text: make it an entry of its own in a list, or write $$` };
  }
  return { text: text.replaceAll('$$', '$') };
}

function parsePath(text: string): DataPath | undefined {
  const path: (string | number)[] = [];
  for (let rest = text; rest !== ''; ) {
    const [whole, name, index, quoted] = segment.exec(rest) ?? [];
    if (whole === undefined || path.length > pathAllowed) return undefined;
    path.push(index === undefined ? (name ?? (quoted as string)) : Number(index));
    rest = rest.slice(whole.length);
  }
  return path;
}

/** The step that a reference needs. */
export function stepOf(reference: Reference): string | undefined {
  return reference.from === 'output' || reference.from === 'data' ? reference.step : undefined;
}

/** A text whose parts were checked when its version was published. */
export function readParts(parts: readonly string[]): PlannedText {
  return parts.map((part) => checked(parsePart(part)));
}

/** A reference that was checked when its version was published. */
export function readReference(text: string): Reference {
  return checked(parseReference(text));
}

function checked<Read extends object>(read: Read | Fault): Read {
  if ('fault' in read) throw new Error(`A published chain holds a fault: ${read.fault}`);
  return read;
}
