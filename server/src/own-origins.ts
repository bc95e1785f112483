import { type Config, publicUrlOf } from './config.ts';

/**
 * Where our own pages are, the one for people first. Requests never tell: a header can say anything. Nothing is known of
 * a server that others reach and whose operator did not say under which address.
 */
export function ownOrigins(config: Pick<Config, 'http'>, listening: string): readonly string[] {
  if (config.http.public_url !== undefined) return [config.http.public_url];
  const { protocol, hostname, port } = new URL(listening);
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(hostname)) return [];
  const named = publicUrlOf(config) ?? `${protocol}//localhost:${port}`;
  return [named, `${protocol}//${hostname}:${port}`];
}
