import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { AppError } from '../app-error.ts';
import type { Log } from '../log.ts';
import { openConnection } from './own-connection.ts';
import type { Roles } from './roles.ts';

export interface MigrateOptions {
  readonly connection: pg.ClientConfig;
  readonly roles: Roles;
  /** Service name to the folder of its numbered SQL files. */
  readonly folders: Readonly<Record<string, string>>;
  /** Also run the steps that older processes cannot live with. */
  readonly contract: boolean;
  readonly log: Log;
  /** Only these steps, contract or not: the schema that a backup was taken from. */
  readonly only?: readonly AppliedStep[];
}

/** A row of platform.migration. */
export interface AppliedStep {
  readonly service: string;
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
}

interface Step {
  readonly service: string;
  readonly number: number;
  readonly name: string;
  readonly contract: boolean;
  readonly sql: string;
  readonly checksum: string;
}

const platformFolder = join(import.meta.dirname, 'migrations');
/** What every service has, in this order. Later ones count downwards, so that they never meet a service's own number. */
const floorFiles = [
  { number: 0, name: '0000_floor', file: 'service-floor.sql' },
  { number: -1, name: '0000_floor-audit', file: 'service-floor-audit.sql' },
];

/**
 * Brings every schema to this code's state, under one advisory lock. Files are `0001_name.sql`; a first line
 * `-- contract` marks a step that takes something away: it waits for `migrate --contract`.
 * Errors: `unavailable` when the data were written by a newer version or an applied file has changed.
 */
export async function migrate(options: MigrateOptions): Promise<number> {
  const client = await openConnection(options.connection);
  try {
    await client.query(`select pg_advisory_lock(hashtextextended('damask migrate', 0))`);
    const owner = options.roles.name('owner');
    if (owner) await client.query(`set role "${owner}"`);
    await client.query(`create table if not exists platform.migration (
      service text not null, number int not null, name text not null, checksum text not null,
      applied_at timestamptz not null default now(), primary key (service, number))`);
    const steps = await readSteps(options.folders);
    const { rows } = await client.query<{ service: string; number: number; name: string; checksum: string }>(
      'select service, number, name, checksum from platform.migration order by service, number',
    );
    refuseForeign(rows, steps);
    const applied = new Set(rows.map((row) => `${row.service} ${row.number}`));
    let count = 0;
    const only = options.only && new Set(options.only.map((step) => `${step.service} ${step.number}`));
    for (const step of steps) {
      if (applied.has(`${step.service} ${step.number}`)) continue;
      if (only && !only.has(`${step.service} ${step.number}`)) continue;
      if (step.contract && !options.contract && !only) {
        options.log.warn('A contract migration waits for `migrate --contract`', {
          step: `${step.service}/${step.name}`,
        });
        continue;
      }
      await applyStep(client, step, options.roles);
      count += 1;
    }
    return count;
  } finally {
    await client.end();
  }
}

async function applyStep(client: pg.Client, step: Step, roles: Roles) {
  await client.query('begin');
  try {
    await client.query(`set local lock_timeout = '5s'`);
    await client.query(roles.apply(step.sql));
    await client.query('insert into platform.migration (service, number, name, checksum) values ($1, $2, $3, $4)', [
      step.service,
      step.number,
      step.name,
      step.checksum,
    ]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw new AppError(
      'unavailable',
      `Migration ${step.service}/${step.name} failed: ${(error as Error).message}. Nothing of it was kept; fix the cause and start again.`,
      {},
      { cause: error },
    );
  }
}

/** Errors: `unavailable` when steps were applied that this code does not have, or has otherwise. */
export async function checkSteps(
  applied: readonly AppliedStep[],
  folders: Readonly<Record<string, string>>,
): Promise<void> {
  refuseForeign(applied, await readSteps(folders));
}

function refuseForeign(rows: readonly AppliedStep[], steps: Step[]) {
  for (const row of rows) {
    const step = steps.find((candidate) => candidate.service === row.service && candidate.number === row.number);
    if (!step) {
      throw new AppError(
        'unavailable',
        `These data were written by a newer Damask (${row.service}/${row.name} is unknown here). Install that version or a newer one; nothing was changed.`,
      );
    }
    if (step.checksum !== row.checksum) {
      throw new AppError(
        'unavailable',
        `Migration ${row.service}/${row.name} differs from the one that was applied. Restore the file of the release; applied migrations never change.`,
      );
    }
  }
}

async function readSteps(folders: Readonly<Record<string, string>>): Promise<Step[]> {
  const floors = await Promise.all(
    floorFiles.map(async ({ file, ...step }) => ({
      ...step,
      sql: await readFile(join(import.meta.dirname, file), 'utf8'),
    })),
  );
  const steps = await readFolder('platform', platformFolder);
  for (const [service, folder] of Object.entries(folders)) {
    for (const { number, name, sql } of floors) {
      const own = sql.replaceAll('@service_role', `damask_${service}`).replaceAll('@service', service);
      steps.push(toStep(service, number, name, own));
    }
    steps.push(...(await readFolder(service, folder)));
  }
  return steps;
}

async function readFolder(service: string, folder: string): Promise<Step[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}_[a-z0-9_-]+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (file) =>
      toStep(service, Number(file.slice(0, 4)), file.slice(0, -4), await readFile(join(folder, file), 'utf8')),
    ),
  );
}

function toStep(service: string, number: number, name: string, sql: string): Step {
  const checksum = createHash('sha256').update(sql).digest('hex');
  return { service, number, name, contract: sql.startsWith('-- contract'), sql, checksum };
}
