import { type Condition, parseFilter, plainName } from './parse-filter.ts';
import { attributeOf, isObject, type ScimObject } from './read-scim-body.ts';
import { invalid } from './scim-error.ts';

/** One change. Changes of several attributes at once are taken apart. */
export interface Change {
  readonly op: 'add' | 'replace' | 'remove';
  /** In lower case: `name.givenname`, `emails.value`. */
  readonly attribute: string;
  /** Which of several values; none for all. */
  readonly within: readonly Condition[];
  readonly value: unknown;
  /** Where it stands in the body, for errors. */
  readonly pointer: string;
}

const mostOperations = 1_000;
const operators = new Set(['add', 'replace', 'remove']);
const pathForm = /^([a-z$][\w$-]*)(?:\[([^\]]{1,300})\])?(?:\.([a-z$][\w$-]*))?$/i;

/**
 * The changes of a PATCH (RFC 7644, 3.5.2). Directories differ: `Replace` in capitals, a path or an object of attributes
 * without one, `name.givenName` as a key of it. Attributes of other schemas are left out. Errors: `invalid_request`.
 */
export function parsePatch(body: ScimObject): Change[] {
  const operations = attributeOf(body, 'Operations');
  if (!Array.isArray(operations) || operations.length === 0 || operations.length > mostOperations) {
    throw invalid('/Operations', `Send 1 to ${mostOperations} changes as Operations.`);
  }
  return operations.flatMap((operation: unknown, index) => readOperation(operation, `/Operations/${index}`));
}

function readOperation(operation: unknown, pointer: string): Change[] {
  if (!isObject(operation)) throw invalid(`${pointer}/op`, 'Each change is an object with op, path and value.');
  const op = String(attributeOf(operation, 'op')).toLowerCase();
  if (!operators.has(op)) throw invalid(`${pointer}/op`, 'A change is one of add, replace and remove.');
  const kind = op as Change['op'];
  const path = attributeOf(operation, 'path');
  const value = attributeOf(operation, 'value');
  if (path !== undefined && path !== null && path !== '') {
    const change = { op: kind, value, pointer };
    const place = typeof path === 'string' ? readPath(path, `${pointer}/path`) : badPath(`${pointer}/path`);
    return place ? [{ ...change, ...place }] : [];
  }
  if (kind === 'remove') throw invalid(pointer, 'A remove needs a path that says what is to go.');
  if (!isObject(value)) throw invalid(`${pointer}/value`, 'Without a path the value is an object of attributes.');
  return Object.entries(value).flatMap(([name, one]) => {
    const place = readPath(name, `${pointer}/value`);
    return place ? [{ op: kind, value: one, pointer, ...place }] : [];
  });
}

/** Null for attributes of schemas that are not spoken here. */
function readPath(path: string, pointer: string): Pick<Change, 'attribute' | 'within'> | null {
  if (path.length > 500) badPath(pointer);
  const plain = path.replace(/^urn:ietf:params:scim:schemas:core:2\.0:(?:user|group):/i, '');
  if (/^urn:/i.test(plain)) return null;
  const [, name, filter, sub] = pathForm.exec(plain) ?? badPath(pointer);
  return {
    attribute: plainName(sub ? `${name}.${sub}` : (name as string)),
    within: filter ? parseFilter(filter, pointer) : [],
  };
}

function badPath(pointer: string): never {
  throw invalid(pointer, 'The path names no attribute. Write it as emails[type eq "work"].value.');
}
