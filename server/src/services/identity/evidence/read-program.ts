import { readFile } from 'node:fs/promises';
import type { evidenceOperations } from '@damask/contracts/evidence.ts';
import type { OutputOf } from '@damask/contracts/operation.ts';
import type { CallContext } from '#platform/call.ts';
import { requireWholeLog } from '../audit/require-whole-log.ts';

const house = new URL('../../../../../', import.meta.url);

/** Read each time: it is asked for now and then, and a quarter of a megabyte need not stay in memory. */
export async function readProgram(context: CallContext): Promise<OutputOf<typeof evidenceOperations.readProgram>> {
  requireWholeLog(context);
  const [manifest, sbom, controls] = await Promise.all([
    readFile(new URL('server/package.json', house), 'utf8'),
    readWhereThere('docs/reference/sbom.cdx.json'),
    readWhereThere('docs/security/controls.csv'),
  ]);
  return { version: (JSON.parse(manifest) as { version: string }).version, sbom, controls };
}

async function readWhereThere(path: string): Promise<string | null> {
  try {
    return await readFile(new URL(path, house), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
