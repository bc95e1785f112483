import { createHash, timingSafeEqual } from 'node:crypto';
import { AppError } from '#platform/app-error.ts';

/** What of a request tells which page sent it. */
export interface PageSource {
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
}

/** Says that a page of ours sent a write: derived from the cookie's secret, so only who was shown it knows it. */
export function csrfToken(secret: string): string {
  return createHash('sha256').update(`damask csrf\n${secret}`).digest('base64url');
}

/** Refuses (`csrf`) what another page sent. A program sends neither header and no cookie that could be misused. */
export function requireOwnPage({ headers = {} }: PageSource, origins: readonly string[]): void {
  const site = headers['sec-fetch-site'];
  const { origin } = headers;
  if (site !== undefined && site !== 'same-origin' && site !== 'none') throw foreignPage();
  // Without a known address of ours the browser's own word is all there is.
  if (origin !== undefined && origins.length > 0 && !origins.includes(String(origin))) throw foreignPage();
  if (origin !== undefined && origins.length === 0 && site !== 'same-origin') throw foreignPage();
}

/**
 * A write that comes with a cookie must come from a page of ours and know the token of the login session: browsers send
 * cookies along with what other pages make them send. Errors: `csrf`.
 */
export function requireCsrf(source: PageSource, secret: string, origins: readonly string[]): void {
  const { method, headers = {} } = source;
  if (method === 'GET' || method === 'HEAD') return;
  requireOwnPage(source, origins);
  if (headers['sec-fetch-site'] !== 'same-origin' && headers.origin === undefined) throw foreignPage();
  const given = Buffer.from(String(headers['damask-csrf'] ?? ''));
  const wanted = Buffer.from(csrfToken(secret));
  if (given.length === wanted.length && timingSafeEqual(given, wanted)) return;
  throw new AppError(
    'csrf',
    'A write with a login cookie needs the header Damask-CSRF with the token that GET /v1/login answers. Reload the page.',
  );
}

function foreignPage(): AppError {
  return new AppError(
    'csrf',
    'This did not come from a page of this server. If it did, the operator sets DAMASK_PUBLIC_URL to the address in the browser.',
  );
}
