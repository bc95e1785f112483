import type { Static, TObject, TSchema } from 'typebox';
import type { ErrorCode } from './errors.ts';
import type { Permission } from './permissions.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * One thing that a service can do. Everything else is built on this: routes, checks, OpenAPI, the sdk,
 * the calls between services and the authorisation matrix.
 *
 * `input` is one flat object. Names in the path's braces are path parameters; the rest comes from the
 * query for GET and DELETE and from the JSON body otherwise.
 */
export interface Operation<Input extends TObject = TObject, Output extends TSchema = TSchema> {
  readonly method: Method;
  /** `/v1/patterns/{pattern}`: a parameter fills a whole segment. */
  readonly path: string;
  /**
   * What the caller's role must hold; `public` needs no credential; `account` needs somebody who signed in, in whatever
   * workspace; `internal` is never routed from outside.
   */
  readonly permission: Permission | 'public' | 'account' | 'internal';
  readonly summary: string;
  readonly input: Input;
  readonly output: Output;
  /** Status of the plain success answer. */
  readonly status: 200 | 201 | 202 | 204 | 303;
  /** Another status of a success where a field of the input says so. */
  readonly statusWhen?: { readonly field: string; readonly value: string; readonly status: 202 };
  /** Codes beyond the ones that every operation can answer. */
  readonly errors: readonly ErrorCode[];
  /** Largest body in bytes; the default is `bodyLimit`. */
  readonly bodyLimit?: number;
  /** Media types of a body that is no JSON. The fields then come from the query, the bytes with the context. */
  readonly bodyTypes?: readonly string[];
  /** Beside JSON it takes a body of these media types that is read while it comes; the fields then come from the query. */
  readonly uploads?: { readonly types: readonly string[]; readonly limit: number };
  /** The answer is bytes, sent as they come: their content types by the input's `format`, the first where it is left out. */
  readonly answerTypes?: Readonly<Record<string, string>>;
  /** When the platform is overloaded: refused never, as health is, or last, as what ends work is. */
  readonly shed?: 'never' | 'last';
  /** How long it may take where that is more than the usual 30 s. */
  readonly timeoutMs?: number;
  /** Speaks SCIM (RFC 7644): its media type, its form of errors, and no body after a 204. */
  readonly dialect?: 'scim';
  /** Content type of an answer that is a text; the others are JSON. */
  readonly media?: `text/${string}`;
  /** The answer leads a browser on to the output's `location`. */
  readonly redirects?: true;
  /** The query is somebody else's: all of it is the field `query`. */
  readonly openQuery?: true;
  /** A page that runs our own script, which then calls this interface. */
  readonly scripted?: true;
  /** The answer is a stream of server-sent events when the input says `stream: true`. */
  readonly events?: readonly string[];
  /** The answer is a stream of events in any case. */
  readonly alwaysStreams?: true;
  /** A read that the audit log tells of: each one, or only those of what somebody else (`actor` of the answer) made. */
  readonly audited?: 'always' | 'others';
  /** Headers (lower case) that give a field of the input; a field is given in one way only. */
  readonly headers?: Readonly<Record<string, string>>;
}

export type Operations = Readonly<Record<string, Operation>>;
export type InputOf<O extends Operation> = Static<O['input']>;
export type OutputOf<O extends Operation> = Static<O['output']>;

/** Bytes of a request body where the operation names no limit of its own. */
export const bodyLimit = 1024 * 1024;

/** Keeps the literal types of an operation's schemas. */
export function operation<Input extends TObject, Output extends TSchema>(
  definition: Operation<Input, Output>,
): Operation<Input, Output> {
  return definition;
}

/** Names in the braces of a path, in order. */
export function pathParameters(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] as string);
}
