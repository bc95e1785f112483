import { AppError } from '#platform/app-error.ts';

/** Only a browser on the same machine is trusted with a cookie that it may send without TLS. */
const secureName = '__Host-damask';
const plainName = 'damask';
const shape = /^dms_[A-Za-z0-9_-]{43}$/;

/** `__Host-` binds the cookie to this host and to TLS; over plain http on loopback a browser would not keep it. */
export function cookieNameFor(origin: string | undefined): string {
  return origin?.startsWith('http://') ? plainName : secureName;
}

/**
 * The secret of a login session that a browser holds, or undefined. Other cookies are not looked at. Errors:
 * `two_credentials` when there are two of ours: one of them was planted.
 */
export function readSessionCookie(header: string | undefined, name: string): string | undefined {
  if (header?.includes(name) !== true) return undefined;
  let found: string | undefined;
  for (const part of header.split(';')) {
    const mark = part.indexOf('=');
    if (mark < 0 || part.slice(0, mark).trim() !== name) continue;
    const value = part.slice(mark + 1).trim();
    if (found !== undefined) {
      throw new AppError(
        'two_credentials',
        'There are two login cookies. Delete the cookies of this site and sign in.',
      );
    }
    found = value;
  }
  return found !== undefined && shape.test(found) ? found : undefined;
}

/** The header `Set-Cookie` for a secret that lasts `seconds`. */
export function sessionCookie(name: string, secret: string, seconds: number): string {
  return `${name}=${secret}; Max-Age=${Math.max(0, Math.floor(seconds))}; ${attributes(name)}`;
}

export function clearedCookie(name: string): string {
  return `${name}=; Max-Age=0; ${attributes(name)}`;
}

function attributes(name: string): string {
  return `Path=/; HttpOnly; SameSite=Lax${name === secureName ? '; Secure' : ''}`;
}
