/** A path of ours to go back to; `/` for whatever could lead a browser anywhere else. */
export function safeReturn(text: string | undefined): string {
  if (text === undefined || !/^\/(?![/\\])[\x21-\x7e]*$/.test(text) || text.includes('\\')) return '/';
  const here = 'http://here.invalid';
  return URL.canParse(text, here) && new URL(text, here).origin === here ? text : '/';
}
