// Headings that name a part of a prompt and not what it is for.
const sectionWords =
  /^(?:identity|purpose|goals?|role|task|steps?|instructions?|output|input|context|introduction|examples?|overview|system|prompts?|background)\b/i;

/** A title from the first heading, or from the pattern's name where headings only name parts: `extract_wisdom` gives `Extract wisdom`. */
export function derivedTitle(text: string, pattern: string): string {
  const heading = /^#{1,3} +(.+)$/.exec(firstLine(text))?.[1]?.replace(/[\s#:]+$/, '');
  if (heading && /^\p{L}/u.test(heading) && !sectionWords.test(heading) && !heading.includes('{{')) {
    return heading.slice(0, 100).toWellFormed();
  }
  const words = pattern.replaceAll(/[_-]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

// Of the template language 2; what they choose between is read on.
const tags = /\{\{(?:[#/>][^{}]{0,300}|else)\}\}/g;

/** The first paragraph of prose, cut at 300 characters; empty where there is none in the first part of the text. */
export function derivedDescription(text: string, template: 1 | 2 = 1): string {
  const begin = text.slice(0, 8192);
  const paragraphs = (template === 2 ? begin.replaceAll(tags, '') : begin)
    .replaceAll('\r\n', '\n')
    .split(/\n[ \t]*\n|^#.*$/m);
  for (const paragraph of paragraphs) {
    const prose = paragraph.trim().replaceAll(/\s+/g, ' ');
    if (prose === '' || /^(?:[-*+>|`~<#]|\/\/|\d+[.)]|\{\{[#/>])/.test(prose) || /^input:?$/i.test(prose)) continue;
    return prose.length > 300 ? `${prose.slice(0, 299).trimEnd().toWellFormed()}…` : prose;
  }
  return '';
}

function firstLine(text: string): string {
  const from = text.search(/\S/);
  if (from === -1) return '';
  const to = text.indexOf('\n', from);
  return text.slice(from, to === -1 ? from + 200 : Math.min(to, from + 200)).trimEnd();
}
