import { createHash } from 'node:crypto';
import { AppError } from './app-error.ts';

/** The strong entity tag (RFC 9110, 8.8.3) of an answer's text: equal texts have equal tags, everywhere and always. */
export function entityTag(text: string): string {
  return `"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`;
}

/** The tags in a header; weak ones count as their strong form, as If-None-Match compares them. */
export function tagsIn(header: string): string[] {
  return header.match(/"[^"]*"/g) ?? [];
}

/**
 * Throws `precondition_failed` unless the thing is what the caller has read. To be asked inside the transaction that writes, after
 * its row is locked; `read` answers what the thing's own read would, undefined when it is not there.
 */
export async function requireMatch(
  given: { readonly if_match?: string | undefined },
  read: () => Promise<object | undefined>,
): Promise<void> {
  if (given.if_match === undefined) return;
  const current = await read();
  if (!current) throw failed('It is not there any more.');
  if (given.if_match.trim() === '*') return;
  const strong = new Set(given.if_match.match(/(?<!W\/)"[^"]*"/g));
  if (!strong.has(entityTag(JSON.stringify(current)))) throw failed('It has changed since you read it.');
}

function failed(why: string): AppError {
  return new AppError('precondition_failed', `${why} Read it again, and decide anew.`);
}
