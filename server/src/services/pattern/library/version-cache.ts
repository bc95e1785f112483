import type { LibraryVersion } from './library-version.ts';

/** The versions that were asked for last, bounded by number and by characters of their texts. */
export interface VersionCache {
  find(key: string): LibraryVersion | undefined;
  put(key: string, version: LibraryVersion): void;
}

export function createVersionCache(most: { readonly versions: number; readonly characters: number }): VersionCache {
  // A Map keeps the order of insertion, so the first key is the one that was used longest ago.
  const held = new Map<string, LibraryVersion>();
  let characters = 0;
  const drop = (key: string) => {
    characters -= held.get(key)?.characters ?? 0;
    held.delete(key);
  };
  return {
    find(key) {
      const version = held.get(key);
      if (version) {
        held.delete(key);
        held.set(key, version);
      }
      return version;
    },
    put(key, version) {
      drop(key);
      held.set(key, version);
      characters += version.characters;
      for (const oldest of held.keys()) {
        if (held.size <= most.versions && characters <= most.characters) break;
        drop(oldest);
      }
    },
  };
}
