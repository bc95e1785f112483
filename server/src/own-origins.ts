import type { Config } from './config.ts';

/**
 * Where our own pages are, the one for people first. Requests never tell: a header can say anything. Nothing is known of
 * a server that others reach and whose operator did not say under which address.
 */
export function ownOrigins({ http }: Pick<Config, 'http'>, listening: string): readonly string[] {
  if (http.public_url !== undefined) return [http.public_url];
  const { protocol, hostname, port } = new URL(listening);
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(hostname)) return [];
  // By name first: browsers keep passkeys for names only.
  return [`${protocol}//localhost:${port}`, `${protocol}//${hostname}:${port}`];
}
