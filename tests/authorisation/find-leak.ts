import type { HttpReply } from '../http-client.ts';

/** What of `secrets` an answer holds, or undefined. Whole words that the request said itself may come back. */
export function findLeak(reply: HttpReply, secrets: readonly string[], request: string): string | undefined {
  const said = decodeURIComponent(request.replaceAll(/%(?![0-9a-f]{2})/gi, '%25'));
  let shown = `${reply.headers.map(([name, value]) => `${name}: ${value}`).join('\n')}\n${reply.text.replaceAll(/\\[nrt]/g, ' ')}`;
  for (const word of new Set(said.match(/[\w-]{5,}/g))) {
    shown = shown.replaceAll(new RegExp(`(?<![\\w-])${word}(?![\\w-])`, 'g'), '');
  }
  const secret = secrets.find((candidate) => shown.includes(candidate));
  if (secret === undefined) return undefined;
  const at = shown.indexOf(secret);
  return JSON.stringify(shown.slice(Math.max(0, at - 40), at + secret.length + 20));
}
