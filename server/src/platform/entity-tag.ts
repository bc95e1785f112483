import { createHash } from 'node:crypto';

/** The strong entity tag (RFC 9110, 8.8.3) of an answer's text: equal texts have equal tags, everywhere and always. */
export function entityTag(text: string): string {
  return `"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`;
}

/** The tags in a header; weak ones count as their strong form, as If-None-Match compares them. */
export function tagsIn(header: string): string[] {
  return header.match(/"[^"]*"/g) ?? [];
}
