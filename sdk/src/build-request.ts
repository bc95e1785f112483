import { DamaskError } from './damask-error.ts';
import { type OperationName, operations } from './generated.ts';

export interface Request {
  readonly method: string;
  readonly url: string;
  readonly body: string | Uint8Array<ArrayBuffer> | AsyncIterable<Uint8Array> | undefined;
  readonly contentType: string;
}

/** A body that is no JSON. */
export interface SentBytes {
  readonly bytes: Uint8Array<ArrayBuffer> | AsyncIterable<Uint8Array>;
  readonly contentType: string;
}

/** Places the fields of a flat input: path parameters, then the query for GET, DELETE and beside bytes, else the JSON body. */
export function buildRequest(url: string, name: OperationName, input: object, sent?: SentBytes): Request {
  const { method, path } = operations[name];
  const contentType = sent?.contentType ?? 'application/json';
  const rest = new Map<string, unknown>(Object.entries(input).filter(([, value]) => value !== undefined));
  const target = path.replace(/\{(\w+)\}/g, (_, parameter: string) => {
    const value = String(rest.get(parameter) ?? '');
    rest.delete(parameter);
    return pathSegment(parameter, value);
  });
  if (method !== 'GET' && method !== 'DELETE' && !sent) {
    const body = rest.size > 0 ? JSON.stringify(Object.fromEntries(rest)) : undefined;
    return { method, url: url + target, body, contentType };
  }
  const pairs = [...rest].flatMap(([key, value]) =>
    (Array.isArray(value) ? value : [value]).map((one): [string, string] => [
      key,
      typeof one === 'object' ? JSON.stringify(one) : String(one),
    ]),
  );
  const query = new URLSearchParams(pairs).toString();
  return { method, url: `${url}${target}${query && `?${query}`}`, body: sent?.bytes, contentType };
}

// An address is normalised before it is sent: an empty, `.` or `..` segment would reach another operation.
function pathSegment(parameter: string, value: string): string {
  if (value !== '' && value !== '.' && value !== '..') {
    try {
      return encodeURIComponent(value);
    } catch {
      // A lone surrogate cannot be sent.
    }
  }
  throw new DamaskError('invalid_request', `'${value}' cannot be a ${parameter}. Check the name.`, {
    status: 400,
    pointer: `/${parameter}`,
  });
}
