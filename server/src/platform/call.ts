import type { InputOf, Operation, Operations, OutputOf } from '@damask/contracts/operation.ts';
import type { Permission, RoleRef } from '@damask/contracts/permissions.ts';

export interface Actor {
  readonly kind: 'key' | 'member' | 'service_account' | 'system';
  /** Of the key; of the account where a member acts without one. */
  readonly id: string;
  readonly name: string;
  readonly role: RoleRef;
  /** The account of the member that it acts for. */
  readonly account?: string;
  /** Id of the login session that it acts with. */
  readonly session?: string;
  /** Id of the service account that it acts for. */
  readonly serviceAccount?: string;
}

/** What of its workspace a caller may touch, whatever its permissions are. */
export interface Reach {
  /** Names of the only patterns; null for all. */
  readonly patterns: readonly string[] | null;
  /** Names of the only environments; null for all. */
  readonly environments: readonly string[] | null;
  /** Teams of the member, whose patterns it may change. */
  readonly teams: readonly string[];
  readonly requestsPerMinute: number | null;
}

export const everywhere: Reach = { patterns: null, environments: null, teams: [], requestsPerMinute: null };

/** Takes one event of a streamed answer. Answers false when the reader is slow: wait for `drained` before more. */
export interface EventSink {
  emit(name: string, id: number, data: unknown): boolean;
  drained(): Promise<void>;
}

/** A body that comes while it is read. It can be read once. */
export interface Upload {
  /** Its media type, without parameters. */
  readonly type: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** Who calls, for which workspace, until when. Travels with every call between gateway and services. */
export interface CallContext {
  readonly requestId: string;
  readonly workspace: string;
  readonly actor: Actor;
  readonly permissions: ReadonlySet<Permission>;
  readonly reach: Reach;
  /** Where the caller is, as the edge sees it; nothing where the platform acts for itself. */
  readonly address?: string;
  /** Why, in the caller's words, for the audit log. */
  readonly reason?: string;
  /** Milliseconds since 1970. */
  readonly deadline: number;
  /** Aborts when the caller leaves. */
  readonly signal: AbortSignal;
  /** Present when the caller takes a stream. */
  readonly sink?: EventSink;
  /** The body of an operation whose body is no JSON, in the pieces in which it came. */
  readonly body?: readonly Uint8Array[];
  /** The body of an operation that takes uploads, where one was sent. */
  readonly upload?: Upload;
}

/** The functions of a service, one for each operation of its contract. */
export type Implementation<Contract extends Operations> = {
  readonly [Name in keyof Contract]: (
    context: CallContext,
    input: InputOf<Contract[Name]>,
  ) => Promise<OutputOf<Contract[Name]>>;
};

/** What a neighbour or the gateway holds: the same functions, wherever the service runs. */
export type Client<Contract extends Operations> = Implementation<Contract>;

export type AnyHandler = (context: CallContext, input: never) => Promise<unknown>;
export type NamedOperation = readonly [name: string, operation: Operation];
