import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { transferOperations } from '@damask/contracts/transfer.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { applyImport } from './apply-import.ts';
import type { TransferParts } from './transfer-parts.ts';

type ImportGit = typeof transferOperations.importGit;

/** All or nothing, of one commit, which the report and each version name. */
export async function importGit(
  parts: TransferParts,
  context: CallContext,
  { url: given, ref, path, on_conflict = 'fail', dry_run = false }: InputOf<ImportGit>,
): Promise<OutputOf<ImportGit>> {
  const url = readAddress(parts, given);
  if (ref !== undefined && !isRef(ref)) {
    throw new AppError('invalid_request', 'ref must name a branch, a tag or a whole commit hash, as git writes it.', {
      pointer: '/ref',
    });
  }
  const source = { url, ...(ref !== undefined && { ref }), ...(path !== undefined && { path }) };
  const { commit = '', ...plan } = await parts.planner.planGit(source, context.signal);
  return applyImport(parts, context, plan, {
    action: 'importGit',
    source: {
      kind: 'import',
      origin: `${url}@${commit}${path === undefined ? '' : `:${path}`}`.slice(0, 1000),
      commit,
    },
    onConflict: on_conflict,
    dryRun: dry_run,
  });
}

/** The address without what git does not need. Each request to it, and each redirect, is judged again. */
function readAddress({ egress }: TransferParts, given: string): string {
  egress.check(given, '/url');
  const url = new URL(given);
  if (url.protocol !== 'https:') {
    throw new AppError('egress_denied', 'Repositories are read over https only. Write the address with https://.', {
      pointer: '/url',
    });
  }
  if (url.search !== '') {
    throw new AppError('invalid_request', 'The address of a repository has no query. Leave out what follows the "?".', {
      pointer: '/url',
    });
  }
  url.hash = '';
  return url.href.replace(/\/+$/, '');
}

/** What git allows in a name (git-check-ref-format), as far as it could mean something else here. */
function isRef(ref: string): boolean {
  return /^[\w./@+=-]+$/.test(ref) && !/^[-/.]|\.\.|\/\/|@\{|\/$|\.lock$/.test(ref);
}
