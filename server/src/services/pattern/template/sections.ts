import { codeFences } from './code-fences.ts';

interface Heading {
  readonly level: number;
  readonly name: string;
  readonly from: number;
  /** Where the line after it begins. */
  readonly next: number;
}

const longestName = 200;

// Headings name parts of a prompt with and without capitals and a colon.
const plain = (name: string) =>
  name
    .trim()
    .replace(/[\s:#]+$/, '')
    .replaceAll(/\s+/g, ' ')
    .toLowerCase();

/** The text under a heading, up to the next heading of its level or above, as offsets; or the names that there are. */
export function findSection(
  text: string,
  wanted: string,
):
  | { readonly from: number; readonly to: number }
  | { readonly fault: 'none' | 'several'; readonly names: readonly string[] } {
  const headings = headingsOf(text);
  const found = headings.filter(({ name }) => plain(name) === plain(wanted));
  const [heading] = found;
  if (!heading || found.length > 1) {
    return { fault: heading ? 'several' : 'none', names: [...new Set(headings.map(({ name }) => name))] };
  }
  const end = headings.find(({ from, level }) => from > heading.from && level <= heading.level);
  return { from: heading.next, to: end?.from ?? text.length };
}

function headingsOf(text: string): Heading[] {
  const fences = codeFences(text);
  const headings: Heading[] = [];
  let fence = 0;
  for (const match of text.matchAll(/^ {0,3}(#{1,6})[ \t]+(?=\S)/gm)) {
    while ((fences[fence]?.[1] ?? Number.POSITIVE_INFINITY) <= match.index) fence++;
    if ((fences[fence]?.[0] ?? Number.POSITIVE_INFINITY) <= match.index) continue;
    const [marks, level = ''] = match;
    const begin = match.index + marks.length;
    const newline = text.indexOf('\n', begin);
    const next = newline === -1 ? text.length : newline + 1;
    const name = text
      .slice(begin, Math.min(next, begin + longestName))
      .trim()
      .replace(/\s#+$/, '')
      .trim();
    headings.push({ level: level.length, name, from: match.index, next });
  }
  return headings;
}
