import { DamaskError } from '@damask/sdk';
import { accessSections } from './access-sections.ts';
import { auditSection } from './audit-section.ts';
import { controlColumns, judgeControls } from './controls.ts';
import { takeGiven } from './given-files.ts';
import { platformSections } from './platform-sections.ts';
import { asJson, type Section, type Sources } from './section.ts';
import type { SpooledFile } from './spool.ts';
import { readResults } from './test-results.ts';

const sections: readonly Section[] = [...accessSections, auditSection, ...platformSections];

/** What its caller may not read. */
export interface LeftOut {
  readonly what: string;
  /** How the paths of its files would begin. */
  readonly path: string;
  readonly code: string;
  readonly need: string | null;
  readonly detail: string;
}

/** What nobody gave, though it can be. */
export interface NotGiven {
  readonly what: string;
  readonly how: string;
}

export interface Given {
  readonly results: readonly string[];
  readonly backups: readonly string[];
}

export interface Manifest {
  readonly kind: 'damask evidence';
  readonly form: 1;
  readonly since: string;
  readonly until: string;
  readonly collected_at: string;
  readonly workspace: { readonly id: string; readonly name: string };
  readonly collected_by: object;
  readonly files: readonly SpooledFile[];
  readonly left_out: readonly LeftOut[];
  readonly not_given: readonly NotGiven[];
}

/** Codes with which a part is refused to this caller, or is not there any more, while the rest can be had. */
const refusals = new Set(['forbidden', 'workspace_shredded']);

/** Collects all sections, then the list of controls and the manifest. `onProgress` hears what is read next. */
export async function collectEvidence(
  sources: Sources,
  given: Given,
  onProgress: (what: string, done: number, of: number) => void,
): Promise<Manifest> {
  const { spool, me, since, until, now } = sources;
  const leftOut: LeftOut[] = [];
  const notGiven: NotGiven[] = [];
  for (const [index, section] of sections.entries()) {
    onProgress(section.what, index, sections.length);
    const before = spool.files().length;
    try {
      await section.collect(sources);
    } catch (error) {
      if (!(error instanceof DamaskError && refusals.has(error.code))) throw error;
      await spool.keep(before);
      const { code, need = null, detail } = error;
      leftOut.push({ what: section.what, path: section.path, code, need, detail });
    }
  }
  for (const [flag, folder, what, how] of [
    ['results', 'tests', 'results of the tests', '--results: what a run of the tests wrote (test-results/*.json)'],
    ['backups', 'backups', 'backups and restore drills', '--backups: reports of the machine that keeps the backups'],
  ] as const) {
    await takeGiven(spool, flag, folder, given[flag]);
    if (given[flag].length === 0) notGiven.push({ what, how });
  }
  await addControls(sources, given, notGiven);
  const manifest: Manifest = {
    kind: 'damask evidence',
    form: 1,
    since,
    until,
    collected_at: now,
    workspace: { id: me.workspace.id, name: me.workspace.name },
    collected_by: me.actor,
    files: [...spool.files()],
    left_out: leftOut,
    not_given: notGiven,
  };
  await spool.text('manifest.json', 'made by damask evidence export', asJson(manifest));
  return manifest;
}

async function addControls({ damask, spool }: Sources, given: Given, notGiven: NotGiven[]): Promise<void> {
  const { controls } = await damask.evidence.program().catch(nothingForbidden);
  if (controls === null) {
    notGiven.push({ what: 'the list of controls', how: 'this server came without one, or it may not be read' });
    return;
  }
  const paths = spool.files().map(({ path }) => path);
  const judged = judgeControls(controls, paths, readResults(given.results));
  const from = 'GET /v1/evidence/program, held against the files of this archive';
  await spool.list('controls/controls', from, controlColumns, judged);
}

function nothingForbidden(error: unknown): { controls: null } {
  if (error instanceof DamaskError && refusals.has(error.code)) return { controls: null };
  throw error;
}
