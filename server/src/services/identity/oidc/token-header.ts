import { decodeProtectedHeader } from 'jose';

const kinds = new Set(['jwt', 'at+jwt', 'application/at+jwt']);
/** Of base64 and its relatives, or a name with dots: enough for every provider, and neither a path nor a sentence. */
const keyId = /^[\w~:+/=-]+(\.[\w~:+/=-]+)*$/;

/**
 * Looks at a token's head before anything else is done with it. Answers the id of its key, null where it names none, and
 * undefined where it is no token that could be taken: another algorithm or kind, or a head that leads elsewhere.
 */
export function checkTokenHeader(token: string, algorithm: string): string | null | undefined {
  let header: ReturnType<typeof decodeProtectedHeader>;
  try {
    header = decodeProtectedHeader(token);
  } catch {
    return undefined;
  }
  if (header.alg !== algorithm) return undefined;
  for (const name of ['jku', 'jwk', 'x5u', 'x5c', 'crit', 'b64', 'zip', 'enc']) if (name in header) return undefined;
  const { typ = 'jwt', kid = null } = header;
  if (typeof typ !== 'string' || !kinds.has(typ.toLowerCase())) return undefined;
  if (kid !== null && (typeof kid !== 'string' || kid.length > 200 || !keyId.test(kid))) return undefined;
  return kid;
}
