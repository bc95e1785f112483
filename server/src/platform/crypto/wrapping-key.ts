import { AppError } from '../app-error.ts';
/** What a wrapped data key is bound to. Each adapter proves it: with another one it does not open. */
export interface WrapContext {
  readonly workspace: string;
  /** Of the data key, from 1. */
  readonly version: number;
}

export const keySources = ['file', 'environment', 'vault', 'aws'] as const;
export type KeySource = (typeof keySources)[number];

export interface WrappingKeyFacts {
  readonly source: KeySource;
  readonly id: string;
  /** How people find it: a path, a name. Never the key. */
  readonly name: string;
  /** The newest version of the key where its keeper counts them. */
  readonly version: number | null;
}

/**
 * A key-encryption key, wherever it is kept. It wraps the data keys of the workspaces and nothing else.
 * Errors of all: `unavailable`, with what to do; for who cannot be reached within the time, who refuses, and what does not open.
 */
export interface WrappingKey {
  readonly source: KeySource;
  /** Stands beside everything that it wrapped; tells two keys apart without giving either away. */
  readonly id: string;
  wrap(context: WrapContext, bytes: Buffer): Promise<Buffer>;
  unwrap(context: WrapContext, wrapped: Buffer): Promise<Buffer>;
  /** The same data key under the newest version of this key; where the keeper can do that, it does not come here. */
  rewrap(context: WrapContext, wrapped: Buffer): Promise<Buffer>;
  describe(): Promise<WrappingKeyFacts>;
  /** Why it cannot be used now, or null. */
  health(): Promise<string | null>;
}

/** The keys at hand. */
export interface KeyRing {
  /** What new data keys are wrapped with. Looks again where it is kept in a file, which may have been replaced. */
  current(): Promise<WrappingKey>;
  /** Undefined when nothing here says how to reach that key. */
  find(id: string): Promise<WrappingKey | undefined>;
}

/** Wraps, and opens again what came of it: of what a keeper answers wrongly nobody could ever get the key back. Errors: `unavailable`. */
export async function wrapChecked(keeper: WrappingKey, context: WrapContext, bytes: Buffer): Promise<Buffer> {
  const wrapped = await keeper.wrap(context, bytes);
  await checkWrapped(keeper, context, wrapped, bytes);
  return wrapped;
}

/** Errors: `unavailable` where the keeper does not give these bytes back. */
export async function checkWrapped(
  keeper: WrappingKey,
  context: WrapContext,
  wrapped: Buffer,
  bytes: Buffer,
): Promise<void> {
  const again = await keeper.unwrap(context, wrapped);
  const right = again.equals(bytes);
  again.fill(0);
  if (right) return;
  throw new AppError('unavailable', `${keeper.id} does not give back what it wrapped. Nothing more was changed.`);
}
