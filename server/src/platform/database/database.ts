import pg from 'pg';
import { AppError } from '../app-error.ts';
import type { Log } from '../log.ts';
import { quoteName, type Roles } from './roles.ts';

export interface Transaction {
  query<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Passes this topic on to other processes once the transaction is committed. */
  announce(topic: string): void;
}

export interface Scope {
  /** `pattern`, `identity`, ...: the service, or one of the platform's own roles. */
  readonly role: string;
  /** Rows of this workspace only; null sees none of the rows that belong to a workspace. */
  readonly workspace: string | null;
}

/** One pool per process. Every statement runs in a transaction that has a role and a workspace. */
export interface Database {
  transaction<Result>(scope: Scope, work: (transaction: Transaction) => Promise<Result>): Promise<Result>;
  /** Who passes on what transactions announce. */
  announceTo(announce: (topic: string) => void): void;
  /** A connection of its own that stays in one role: for the journal's writer and for LISTEN. */
  dedicated(role: string): Promise<pg.Client>;
  end(): Promise<void>;
}

export interface DatabaseOptions {
  readonly connection: pg.ClientConfig;
  readonly roles: Roles;
  readonly log: Log;
  readonly poolSize: number;
  /** Milliseconds that one statement may take. */
  readonly statementTimeout: number;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

// The server's own statement_timeout cannot fire across a silent partition; at most this much later the connection is destroyed.
const longestGrace = 5_000;

export function openDatabase(options: DatabaseOptions): Database {
  const { connection, roles, log, poolSize, statementTimeout } = options;
  const silence = statementTimeout + Math.min(longestGrace, statementTimeout);
  const settings = {
    ...connection,
    application_name: 'damask',
    keepAlive: true,
    connectionTimeoutMillis: 5_000,
    statement_timeout: statementTimeout,
    lock_timeout: Math.min(5_000, statementTimeout),
    idle_in_transaction_session_timeout: silence,
  };
  const pool = new pg.Pool({ ...settings, max: poolSize, idleTimeoutMillis: 60_000 });
  pool.on('error', (error) => log.warn('A database connection was lost while idle', { error }));

  const prelude = ({ role, workspace }: Scope) => {
    if (workspace !== null && !uuid.test(workspace)) throw new Error('A scope needs a workspace id');
    const real = roles.name(role);
    const become = real ? `set local role ${quoteName(real)};` : '';
    return `begin;${become}set local damask.role='${role}';set local damask.workspace='${workspace ?? ''}'`;
  };

  let tell: (topic: string) => void = () => undefined;

  return {
    announceTo(announce) {
      tell = announce;
    },
    async transaction(scope, work) {
      const begin = prelude(scope);
      let topics: Set<string> | undefined;
      const client = await pool.connect().catch((error: unknown) => {
        throw databaseFailure(error);
      });
      let broken: Error | undefined;
      let released = false;
      const release = () => {
        if (!released) client.release(broken);
        released = true;
      };
      const ask = async (text: string, values: readonly unknown[] = []) => {
        const guard = setTimeout(() => {
          broken = new Error('The database said nothing for too long; the connection was destroyed');
          release();
        }, silence);
        try {
          return await client.query(text, values as unknown[]);
        } finally {
          clearTimeout(guard);
        }
      };
      // Lost between two statements: the next one tells. Without a listener the event would end the process.
      const onLost = () => undefined;
      client.on('error', onLost);
      try {
        await ask(begin);
        const result = await work({
          query: async <Row>(text: string, values?: readonly unknown[]) => (await ask(text, values)).rows as Row[],
          announce(topic) {
            topics ??= new Set();
            topics.add(topic);
          },
        });
        const { command } = await ask('commit');
        // What PostgreSQL answers when a statement had failed and nobody said so.
        if (command !== 'COMMIT') throw new Error('A transaction was rolled back although its work ended well');
        if (topics) for (const topic of topics) tell(topic);
        return result;
      } catch (error) {
        if (!broken) {
          await ask('rollback').catch((failure: Error) => {
            broken ??= failure;
          });
        }
        throw databaseFailure(error);
      } finally {
        client.off('error', onLost);
        release();
      }
    },
    async dedicated(role) {
      const client = new pg.Client({ ...settings, query_timeout: silence });
      client.on('error', (error) => log.warn('A dedicated database connection was lost', { role, error }));
      try {
        await client.connect();
        const real = roles.name(role);
        await client.query(`${real ? `set role ${quoteName(real)};` : ''}set damask.role='${role}'`);
        return client;
      } catch (error) {
        client.end().catch(() => undefined);
        throw error;
      }
    },
    end: () => pool.end(),
  };
}

/** SQLSTATE of an error of the database, or undefined. No class begins with E, as EPIPE and other errors of the system do. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[0-9A-DF-Z][0-9A-Z]{4}$/.test(code) ? code : undefined;
}

/** True when two transactions waited for each other and this one was rolled back: the same one again will do. */
export function isDeadlock(error: unknown): boolean {
  return sqlState(error) === '40P01' || (error instanceof AppError && sqlState(error.cause) === '40P01');
}

const waitClasses = new Set(['08', '53', '57', '40', '55', '58']);
/** The session was ended because this process said nothing for too long inside a transaction. */
const idleInTransaction = '25P03';
// Errors of the system (no route, no file handle left, ...) and of a socket that is closed already.
const ofConnection = /^(E(AI_)?[A-Z0-9]+|ERR_STREAM_\w+|ERR_SOCKET_CLOSED)$/;

/** True when the same statement may succeed later: the connection, the server's state or a lock was the cause. */
export function isTransient(error: unknown): boolean {
  const state = sqlState(error);
  if (state) return waitClasses.has(state.slice(0, 2)) || state === idleInTransaction;
  const { code, message = '' } = (error ?? {}) as { code?: string; message?: string };
  return ofConnection.test(code ?? '') || /terminated|timeout|not queryable|Connection ended/i.test(message);
}

const dataClasses = new Set(['22', '23', '44', '54', 'P0']);

/** True when the row itself is what the database refuses, so that no repetition will help. */
export function isRefusedRow(error: unknown): boolean {
  const state = sqlState(error);
  if (state) return dataClasses.has(state.slice(0, 2));
  // The driver could not even write it down.
  return (error instanceof TypeError || error instanceof RangeError) && !isTransient(error);
}

function databaseFailure(error: unknown): unknown {
  if (error instanceof AppError || !isTransient(error)) return error;
  return new AppError(
    'unavailable',
    'The database does not answer as it should. Try again in a moment; /readyz tells its state.',
    { retryAfterSeconds: 1 },
    { cause: error },
  );
}
