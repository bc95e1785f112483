import type { Pattern } from '@damask/sdk';
import { InputError } from './input-error.ts';

/** Throws InputError when a pattern has no version of this number; they have no gaps. */
export function checkVersion({ name, version: newest }: Pattern, version: number): void {
  if (version >= 1 && version <= newest) return;
  const which = newest === 1 ? 'The only one is 1' : `They go from 1 to ${newest}`;
  throw new InputError(
    `${name} has no version ${version}. ${which}; \`damask history ${name}\` lists them.`,
    'notFound',
  );
}
