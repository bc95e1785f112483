import type { CallContext } from '#platform/call.ts';
import { parseStrictJson } from '#platform/strict-json.ts';
import { invalid } from './scim-error.ts';

export type ScimObject = Readonly<Record<string, unknown>>;

/** The object in the body of a request. Errors: `invalid_request`. */
export function readScimBody({ body = [] }: CallContext): ScimObject {
  const value = parseStrictJson(Buffer.concat(body));
  if (!isObject(value)) throw invalid('', 'The body must be a JSON object.');
  return value;
}

export function isObject(value: unknown): value is ScimObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An attribute whatever its case: RFC 7643 (2.1) has names mean the same in all of them. */
export function attributeOf(object: ScimObject, name: string): unknown {
  if (Object.hasOwn(object, name)) return object[name];
  const lower = name.toLowerCase();
  const key = Object.keys(object).find((one) => one.toLowerCase() === lower);
  return key === undefined ? undefined : object[key];
}
