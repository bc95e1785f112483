import { AppError } from '#platform/app-error.ts';

/** More than a header with a token ever has; what is longer is not worth looking at. */
const longestHeader = 8_192;

const keyFields = new Set([
  'key',
  'api_key',
  'apikey',
  'api-key',
  'access_token',
  'token',
  'authorization',
  'x-api-key',
]);
const alwaysKey = new Set(['api_key', 'apikey', 'api-key', 'x-api-key', 'access_token']);
const wholeKey = /dmk_[0-9A-Za-z]{40}/;

/**
 * The one `Authorization` header of a request, or undefined when it has none that could hold a key. Reads the raw
 * headers, since node keeps the first of two. Errors: `two_credentials`, `key_in_query`.
 */
export function findCredentials(rawHeaders: readonly string[], url: string): string | undefined {
  let authorization: string | undefined;
  let count = 0;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 13 && name.toLowerCase() === 'authorization') {
      authorization = rawHeaders[i + 1];
      count += 1;
    } else if (name.length === 9 && name.toLowerCase() === 'x-api-key') {
      count += 1;
    }
  }
  const inAddress = hasKeyInAddress(url);
  if (count + (inAddress ? 1 : 0) > 1) throw twoCredentials();
  if (inAddress) throw keyInAddress();
  if (authorization === undefined || authorization.length > longestHeader) return undefined;
  // A proxy joins two headers with a comma.
  if (/,\s*(?:bearer|basic)\s/i.test(authorization)) throw twoCredentials();
  return authorization;
}

function hasKeyInAddress(url: string): boolean {
  if (wholeKey.test(url)) return true;
  const mark = url.indexOf('?');
  if (mark < 0) return false;
  for (const [field, value] of new URLSearchParams(url.slice(mark + 1))) {
    const name = field.toLowerCase();
    if (alwaysKey.has(name) || wholeKey.test(value)) return true;
    if (keyFields.has(name) && /^(?:bearer\s+)?dmk_/i.test(value.trim())) return true;
  }
  return false;
}

function twoCredentials(): AppError {
  return new AppError(
    'two_credentials',
    'Send exactly one credential: one header "Authorization: Bearer dmk_..." and nothing else that holds a key.',
  );
}

function keyInAddress(): AppError {
  return new AppError(
    'key_in_query',
    'Addresses end up in logs and histories. Send the key in the header "Authorization: Bearer dmk_..." and revoke this one if it was real.',
  );
}
