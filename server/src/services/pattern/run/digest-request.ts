import { createHmac, type Hmac, type KeyObject } from 'node:crypto';

/**
 * An HMAC over a JSON value that does not depend on the order of fields. Fields that are undefined count as left out.
 * Each part is preceded by its kind and length, so that no two values read the same.
 */
export function digestValue(key: KeyObject, value: unknown): Buffer {
  const hmac = createHmac('sha256', key);
  add(hmac, value);
  return hmac.digest();
}

function add(hmac: Hmac, value: unknown): void {
  if (typeof value === 'string') {
    hmac.update(`s${Buffer.byteLength(value)}:`).update(value);
  } else if (Array.isArray(value)) {
    hmac.update(`a${value.length}:`);
    for (const item of value) add(hmac, item);
  } else if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    hmac.update(`o${fields.length}:`);
    for (const [name, field] of fields.sort(([one], [other]) => (one < other ? -1 : 1))) {
      add(hmac, name);
      add(hmac, field);
    }
  } else {
    hmac.update(`${JSON.stringify(value)};`);
  }
}
