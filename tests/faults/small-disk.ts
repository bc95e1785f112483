import { spawnSync } from 'node:child_process';
import { mkdirSync, statfsSync } from 'node:fs';

/** A file system in memory that can become full and be emptied again. */
export interface SmallDisk {
  fill(): void;
  free(): void;
  remove(): void;
}

const size = '3g';

/** Mounts one there. Undefined where this process may not. */
export function mountSmallDisk(path: string): SmallDisk | undefined {
  mkdirSync(path);
  const mount = (...args: string[]) => spawnSync('mount', args, { stdio: 'ignore' }).status === 0;
  if (!mount('-t', 'tmpfs', '-o', `size=${size},mode=711`, 'tmpfs', path)) return undefined;
  return {
    fill() {
      const { blocks, bfree, bsize } = statfsSync(path);
      if (!mount('-o', `remount,size=${(blocks - bfree + 16) * bsize}`, path))
        throw new Error('the disk was not filled');
    },
    free() {
      mount('-o', `remount,size=${size}`, path);
    },
    remove() {
      spawnSync('umount', ['--lazy', path], { stdio: 'ignore' });
    },
  };
}
