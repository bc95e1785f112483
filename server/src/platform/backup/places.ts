import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Clock } from '../clock.ts';
import { createFileDestination, openFileSource } from './file-place.ts';
import type { Destination, Source } from './place.ts';

/** Files and S3-compatible stores, by what the person wrote. */
export interface Places {
  /** `name` is for a place that only says the folder. */
  create(place: string, name: string): Promise<Destination>;
  open(place: string): Promise<Source>;
  close(): Promise<void>;
}
export function openPlaces(_options: unknown, _clock: Clock): Places {
  return {
    async create(place, name) {
      const path = resolve(place);
      const folder = place.endsWith('/') || (await stat(path).catch(() => undefined))?.isDirectory();
      return createFileDestination(folder ? join(path, name) : path);
    },
    open: (place) => openFileSource(resolve(place)),
    close: async () => undefined,
  };
}
