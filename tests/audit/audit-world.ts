import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditEntry, auditOperations } from '@damask/contracts/audit.ts';
import pg from 'pg';
import { readAnchors, readKeys, type SignedLine } from '../../cli/src/audit/anchors.ts';
import { readFolder } from '../../cli/src/audit/read-folder.ts';
import { createChainVerifier, type Verdict } from '../../cli/src/audit/verify-chain.ts';
import type { Client } from '../../server/src/platform/call.ts';
import { systemClock } from '../../server/src/platform/clock.ts';
import { systemContext } from '../../server/src/platform/system-context.ts';
import { startTestPlatform, type TestPlatform } from '../../server/src/testing/test-platform.ts';

export interface AuditWorld {
  readonly platform: TestPlatform;
  /** Where the server keeps its checkpoints. */
  readonly folder: string;
  /** Makes `count` keys, each with its entry. */
  write(count: number): Promise<void>;
  /** Seals all, and signs a checkpoint as if 60 s had passed. */
  anchor(): Promise<void>;
  /** The chain of alpha as it is exported. */
  entries(): Promise<AuditEntry[]>;
  /** Puts these rows in the place of alpha's chain, as a superuser does who turned the triggers off. */
  replace(entries: readonly AuditEntry[]): Promise<void>;
  /** As the superuser, past the triggers. */
  behind<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
  lines(): Promise<SignedLine[]>;
  /** What the command line says of the chain of alpha. */
  verify(given?: Partial<Given>): Promise<Verdict>;
  stop(): Promise<void>;
}

interface Given {
  readonly lines: readonly SignedLine[];
  readonly keys: string;
  readonly text: string;
}

export async function startAuditWorld(
  modelUrl?: string,
  environment: Record<string, string> = {},
): Promise<AuditWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'damask-audit-'));
  const platform = await startTestPlatform({
    ...(modelUrl === undefined ? {} : { modelUrl }),
    environment: { DAMASK_AUDIT_CHECKPOINTS: folder, ...environment },
  });
  const pool = new pg.Pool({ ...platform.connection, max: 1 });
  pool.on('error', () => undefined);
  const { alpha } = platform;
  const behind = async <Row extends object>(text: string, values: unknown[] = []) => {
    const client = await pool.connect();
    try {
      await client.query('begin; set local session_replication_role = replica');
      const { rows } = await client.query<Row>(text, values);
      await client.query('commit');
      return rows;
    } catch (error) {
      await client.query('rollback');
      throw error;
    } finally {
      client.release();
    }
  };
  /** At the service's door: an export over HTTP is an entry itself, and would move the end of the chain. */
  const exported = async () => {
    const pieces: Buffer[] = [];
    const emit = (_: string, __: number, data: unknown) => {
      pieces.push(Buffer.from(String(data), 'base64'));
      return true;
    };
    const context = {
      ...systemContext(systemClock),
      workspace: alpha.id,
      sink: { emit, drained: async () => undefined },
    };
    await (platform.clients.identity as unknown as Client<typeof auditOperations>).exportAudit(context, {});
    return Buffer.concat(pieces).toString();
  };
  const lines = async () => [...readFolder(folder).lines];
  return {
    platform,
    folder,
    behind,
    lines,
    async write(count) {
      for (let made = 0; made < count; made += 1) {
        await platform.call('POST', '/v1/keys', { name: `key ${made}`, role: 'viewer' });
      }
    },
    async anchor() {
      await platform.sealAudit();
      await behind(
        `update identity.audit_head set open_since = now() - interval '2 minutes' where open_since is not null`,
      );
      await platform.sealAudit();
    },
    async entries() {
      return (await exported())
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as AuditEntry);
    },
    async replace(entries) {
      const rows = entries.map(({ actor, ...entry }, index) => ({
        ...entry,
        position: 1_000_000_000 + index,
        actor_kind: actor.kind,
        actor_id: actor.id,
        actor_account: actor.account,
      }));
      await behind(
        `with gone as (delete from identity.audit_entry where workspace = $1)
         select`,
        [alpha.id],
      );
      await behind(
        `insert into identity.audit_entry
         select workspace_of, seq, position, id, at, service, actor_kind, actor_id, actor_account, auth, action, subject, outcome,
                before, after, address, request_id, reason, details, decode(previous, 'hex'), decode(hash, 'hex')
           from (select $2::uuid as workspace_of, given.* from json_to_recordset($1) as given(seq bigint, position bigint, id uuid,
             at timestamptz, service text, actor_kind text, actor_id text, actor_account uuid, auth text, action text,
             subject text, outcome text, before text, after text, address text, request_id text, reason text, details jsonb,
             previous text, hash text)) as rows`,
        [JSON.stringify(rows), alpha.id],
      );
    },
    async verify(given = {}) {
      const keys = given.keys ?? (await readFile(join(folder, 'keys.json'), 'utf8'));
      const { anchors, problems } = readAnchors(given.lines ?? (await lines()), readKeys(keys));
      const verifier = createChainVerifier({
        workspace: alpha.id,
        anchors,
        anchorProblems: problems,
        partial: false,
        anchored: true,
      });
      const text = given.text ?? (await exported());
      for (const line of text.split('\n')) if (line !== '') verifier.add(line);
      return verifier.end();
    },
    async stop() {
      await pool.end();
      await platform.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
