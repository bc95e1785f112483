import { createHash } from 'node:crypto';
import type { AuditEntry } from '@damask/contracts/audit.ts';
import { canonicalJson } from '#platform/canonical-json.ts';
import type { UnsealedRow } from '#platform/unsealed-audit.ts';

/** What the hash of an entry is over. */
export type EntryBody = Omit<AuditEntry, 'previous' | 'hash'>;

/** A row with its place in the chain. */
export interface SealedRow extends Omit<UnsealedRow, 'xact'> {
  readonly seq: number;
  readonly previous: Buffer;
  readonly hash: Buffer;
}

export interface ChainHead {
  readonly seq: number;
  readonly hash: Buffer;
}

/** Before the first entry of a chain. */
export const chainStart: ChainHead = { seq: 0, hash: Buffer.alloc(32) };

/** SHA-256 of the hash before, as bytes, and of the entry as RFC 8785 writes it. */
export function hashEntry(previous: Buffer, body: EntryBody): Buffer {
  return createHash('sha256').update(previous).update(canonicalJson(body)).digest();
}

/** Puts a row behind the head of its chain. */
export function sealRow(head: ChainHead, { xact: _, ...row }: UnsealedRow): SealedRow {
  const seq = head.seq + 1;
  return { ...row, seq, previous: head.hash, hash: hashEntry(head.hash, bodyOf({ ...row, seq })) };
}

export function bodyOf(row: Omit<SealedRow, 'previous' | 'hash'>): EntryBody {
  return {
    workspace: row.workspace,
    seq: row.seq,
    id: row.id,
    at: row.at,
    service: row.service,
    actor: { kind: row.actor_kind, id: row.actor_id, account: row.actor_account },
    auth: row.auth,
    action: row.action,
    subject: row.subject,
    outcome: row.outcome,
    before: row.before,
    after: row.after,
    address: row.address,
    request_id: row.request_id,
    reason: row.reason,
    details: row.details,
  };
}

export function toEntry(row: SealedRow): AuditEntry {
  return { ...bodyOf(row), previous: row.previous.toString('hex'), hash: row.hash.toString('hex') };
}
