import { AppError } from '../app-error.ts';
import type { KeyEncryptionKey } from './key-file.ts';
import { open, seal } from './seal.ts';
import type { KeyRing, KeySource, WrapContext, WrappingKey } from './wrapping-key.ts';

const placeOf = ({ workspace, version }: WrapContext) => ({
  workspace,
  table: 'platform.data_key',
  row: String(version),
  column: 'wrapped',
});

/** A key that is in the memory of this process: from a file or a variable. `name` says to people where it is from. */
export function createLocalWrappingKey(kek: KeyEncryptionKey, source: KeySource, name: string): WrappingKey {
  const wrap = async (context: WrapContext, bytes: Buffer) => seal(kek.key, placeOf(context), Buffer.alloc(0), bytes);
  const unwrap = async (context: WrapContext, wrapped: Buffer) => {
    try {
      return await open(kek.key, placeOf(context), 0, wrapped);
    } catch (cause) {
      throw new AppError(
        'unavailable',
        `The wrapped data key of the workspace ${context.workspace} does not open: the stored key was changed or moved. Restore the table platform.data_key from a backup.`,
        {},
        { cause },
      );
    }
  };
  return {
    source,
    id: kek.id,
    wrap,
    unwrap,
    rewrap: async (context, wrapped) => wrap(context, await unwrap(context, wrapped)),
    describe: async () => ({ source, id: kek.id, name, version: null }),
    health: async () => null,
  };
}

/** A ring of one key that is at hand. */
export function ringOf(key: WrappingKey): KeyRing {
  return { current: async () => key, find: async (id) => (id === key.id ? key : undefined) };
}
