import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PatternFile } from '@damask/contracts/pattern.ts';
import type { EventReader } from '#platform/events.ts';
import { systemContext } from '#platform/system-context.ts';
import type { LibraryParts } from '../library/library-parts.ts';
import { applyImport } from './apply-import.ts';
import { type ImportPlan, planImport } from './plan-import.ts';

/**
 * Gives each new workspace the patterns and strategies of `folder`, as starters: an import of the same name takes their place until
 * somebody edits them. An event that comes again changes nothing.
 */
export function createStarterReader(parts: LibraryParts, folder: string): EventReader {
  let plan: Promise<ImportPlan> | undefined;
  const readPlan = () => {
    plan ??= readFolder(folder).then((files) => planImport(files));
    // A folder that cannot be read now is read again for the next event.
    plan.catch(() => {
      plan = undefined;
    });
    return plan;
  };
  return {
    consumer: 'pattern.starters',
    source: 'identity',
    async handle({ name, workspace }) {
      if (name !== 'identity.workspace-created') return;
      const context = { ...systemContext(parts.clock), workspace };
      await applyImport(parts, context, await readPlan(), {
        action: 'installStarters',
        source: { kind: 'starter' },
        onConflict: 'keep',
        dryRun: false,
      });
    },
  };
}

async function readFolder(folder: string): Promise<PatternFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    paths.sort().map(async (path) => ({
      path: path.slice(folder.length).replaceAll('\\', '/').replace(/^\//, ''),
      content: await readFile(path, 'utf8'),
    })),
  );
}
