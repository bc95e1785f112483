import { hash } from 'node:crypto';
import { type evidenceOperations, evidenceSealDomain } from '@damask/contracts/evidence.ts';
import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import { AppError, notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import { canonicalJson } from '#platform/canonical-json.ts';
import { readHeads } from '../audit/chain-store.ts';
import { requireWholeLog } from '../audit/require-whole-log.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { findWorkspace } from '../store.ts';

type Seal = typeof evidenceOperations.sealEvidence;

/** Vouches for who handed these digests in, when, and how long the audit log was then; not for what is in the files. */
export async function sealEvidence(
  { database, clock, trail, auditKeys }: IdentityParts,
  context: CallContext,
  { since, until, digests: files }: InputOf<Seal>,
): Promise<OutputOf<Seal>> {
  requireWholeLog(context);
  refuseTwice(files);
  const { workspace, actor } = context;
  const signing = await auditKeys.read();
  const id = clock.uuid();
  const at = new Date(clock.now()).toISOString();
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  return database.transaction({ role: 'identity', workspace }, async (transaction) => {
    const found = await findWorkspace(transaction);
    if (!found) throw notFound();
    const head = (await readHeads(transaction, [workspace])).get(workspace);
    const body = canonicalJson({
      kind: 'evidence',
      id,
      workspace: { id: workspace, name: found.name },
      actor: { kind: actor.kind, id: actor.id, account: actor.account ?? null },
      at,
      since: since ?? null,
      until: until ?? null,
      audit: head ? { seq: head.seq, hash: head.hash.toString('hex') } : null,
      files: sorted,
    });
    await trail.leave(transaction, context, {
      action: 'sealEvidence',
      subject: `evidence/${id}`,
      details: {
        digest: hash('sha256', body),
        files: files.length,
        since: since ?? null,
        until: until ?? null,
        key: signing.current.id,
      },
      event: 'identity.evidence-sealed',
      data: { evidence: id, files: files.length },
    });
    return { id, at, body, key: signing.current.id, signature: signing.current.sign(evidenceSealDomain + body) };
  });
}

function refuseTwice(files: InputOf<Seal>['digests']): void {
  const seen = new Set<string>();
  for (const [index, { path }] of files.entries()) {
    if (seen.has(path)) {
      throw new AppError('invalid_request', `${path} is named twice. Name each file once.`, {
        pointer: `/digests/${index}/path`,
      });
    }
    seen.add(path);
  }
}
