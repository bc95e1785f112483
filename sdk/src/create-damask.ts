import { allItems } from './all-items.ts';
import { batchCalls } from './batch-calls.ts';
import { budgetCalls } from './budget-calls.ts';
import { callOperation } from './call-operation.ts';
import type { Fetch } from './fetch-like.ts';
import type * as api from './generated.ts';
import { identityCalls } from './identity-calls.ts';
import { loginCalls } from './login-calls.ts';
import type { CallOptions, Connection } from './open-operation.ts';
import { readBytes } from './read-bytes.ts';
import { runCalls } from './run-calls.ts';

export interface DamaskOptions {
  /** Where the server is: `http://127.0.0.1:7440`, or an address with a path in front of `/v1`. */
  readonly url: string;
  /** `dmk_...`, which also names the workspace; or the secret of a login session, or a token of an identity provider. */
  readonly apiKey?: string | undefined;
  /** Id of the workspace, for what is no key. */
  readonly workspace?: string | undefined;
  /** Takes the place of the global `fetch`. */
  readonly fetch?: Fetch | undefined;
  /** Milliseconds for a call's whole answer; 60,000 by default. Runs wait without limit unless their call sets one. */
  readonly timeoutMs?: number | undefined;
  /** How often a read is sent again when no answer came, or when the server asks to wait; 2 by default. */
  readonly retries?: number | undefined;
  /** Gives up every call of this client, as the signal of a call does for one. */
  readonly signal?: AbortSignal | undefined;
}

export type Damask = ReturnType<typeof createDamask>;

/**
 * Makes a client of one server. It holds no connection, so there is nothing to close.
 *
 * Every function throws a `DamaskError` with a stable `code`; where its signal is aborted, it throws the signal's
 * reason. Reads and runs with an `idempotency_key` are retried, no other.
 */
export function createDamask(options: DamaskOptions) {
  const connection: Connection = {
    url: checkedUrl(options.url),
    apiKey: options.apiKey,
    workspace: options.workspace,
    fetch: options.fetch ?? globalThis.fetch,
    timeoutMs: options.timeoutMs ?? 60_000,
    retries: options.retries ?? 2,
    signal: options.signal,
  };
  const call = <Name extends api.OperationName>(
    name: Name,
    input: api.OperationTypes[Name]['input'],
    callOptions?: CallOptions,
  ) => callOperation(connection, name, input, callOptions);

  return {
    /** Calls any operation by the name that the reference gives it. */
    call,
    /** Who the key is, its workspace and what it may do. */
    me: (options?: CallOptions) => call('readMe', {}, options),
    /** The workspace of the key. */
    workspace: (options?: CallOptions) => call('readWorkspace', {}, options),
    /** The exact messages that a run of this input would send; nothing is called. */
    render: (input: api.RenderRunInput, options?: CallOptions) => call('renderRun', input, options),
    /** The interface as OpenAPI 3.1. */
    openapi: (options?: CallOptions) => call('readOpenApi', {}, options),
    /** The JSON Schema of pattern.yaml, for editors. */
    patternSchema: (options?: CallOptions) => call('readPatternSchema', {}, options),
    health: {
      /** Answers while the server's process works. */
      live: (options?: CallOptions) => call('readLive', {}, options),
      /** Answers when it takes requests; throws `unavailable` naming the part that cannot. */
      ready: (options?: CallOptions) => call('readReady', {}, options),
    },
    patterns: patternCalls(call),
    runs: runCalls(connection, call),
    imports: importCalls(connection, call),
    exports: {
      /** One page of files in Fabric's tree: patterns byte for byte, then strategies, descriptions and tags. */
      list: (input: api.ExportTreeInput = {}, options?: CallOptions) => call('exportTree', input, options),
      /** All files, page by page as the loop goes on. */
      listAll: (input: Omit<api.ExportTreeInput, 'cursor'> = {}, options?: CallOptions) =>
        allItems((cursor) => call('exportTree', { limit: 200, ...input, cursor }, options)),
      /** The bytes of all of it as a zip, or a tar. */
      archive: (input: api.ExportArchiveInput = {}, options?: CallOptions) =>
        readBytes(connection, 'exportArchive', input, { timeoutMs: 600_000, ...options }),
    },
    strategies: strategyCalls(call),
    contexts: contextCalls(call),
    sessions: sessionCalls(call),
    batches: batchCalls(connection, call),
    timers: timerCalls(call),
    models: {
      /** Models that a run can name, also those that are not ready. */
      list: (options?: CallOptions) => call('listModels', {}, options),
    },
    providers: providerCalls(call),
    egress: {
      /** What may be called beyond the public internet, for each kind of address that people enter. */
      read: (options?: CallOptions) => call('readEgress', {}, options),
      /** Whether an address would be called, and why not. Nothing is sent there. */
      check: (input: api.CheckEgressInput, options?: CallOptions) => call('checkEgress', input, options),
    },
    queue: {
      /** How many runs of the workspace are queued, running and waiting, and how many may be executed at a time. */
      read: (options?: CallOptions) => call('readQueue', {}, options),
      /** Limits how many queued runs of the workspace are executed at a time; null lifts the limit. */
      put: (input: api.PutQueueInput, options?: CallOptions) => call('putQueue', input, options),
    },
    budgets: budgetCalls(call),
    ...identityCalls(call),
    ...loginCalls(call),
  };
}

type Call = <Name extends api.OperationName>(
  name: Name,
  input: api.OperationTypes[Name]['input'],
  options?: CallOptions,
) => Promise<api.OperationTypes[Name]['output']>;

function patternCalls(call: Call) {
  return {
    /** One page of patterns by name. */
    list: (input: api.ListPatternsInput = {}, options?: CallOptions) => call('listPatterns', input, options),
    /** All patterns by name, page by page as the loop goes on. */
    listAll: (input: Omit<api.ListPatternsInput, 'cursor'> = {}, options?: CallOptions) =>
      allItems((cursor) => call('listPatterns', { limit: 200, ...input, cursor }, options)),
    /** Creates a pattern with its first version. Throws `already_exists`, `invalid_pattern`. */
    create: (input: api.CreatePatternInput, options?: CallOptions) => call('createPattern', input, options),
    /** A pattern with its labels and newest version. Throws `not_found`. */
    read: (input: api.ReadPatternInput, options?: CallOptions) => call('readPattern', input, options),
    /** Deletes a pattern; `restore` brings it back. */
    delete: (input: api.DeletePatternInput, options?: CallOptions) => call('deletePattern', input, options),
    /** Brings a deleted pattern back with all its versions. */
    restore: (input: api.RestorePatternInput, options?: CallOptions) => call('restorePattern', input, options),
    /** Publishes an immutable version; content that exists answers the version that has it. */
    publish: (input: api.PublishVersionInput, options?: CallOptions) => call('publishVersion', input, options),
    /** One page of versions, newest first. */
    listVersions: (input: api.ListVersionsInput, options?: CallOptions) => call('listVersions', input, options),
    /** All versions, newest first. */
    listAllVersions: (input: Omit<api.ListVersionsInput, 'cursor'>, options?: CallOptions) =>
      allItems((cursor) => call('listVersions', { limit: 200, ...input, cursor }, options)),
    /** One version with its files. */
    readVersion: (input: api.ReadVersionInput, options?: CallOptions) => call('readVersion', input, options),
    /** What changed between two versions: files and settings; the newest and the one before it by default. */
    diff: (input: api.DiffVersionsInput, options?: CallOptions) => call('diffVersions', input, options),
    /** Says that a pattern should not be used any more; runs of it go on. */
    deprecate: (input: api.DeprecatePatternInput, options?: CallOptions) => call('deprecatePattern', input, options),
    /** Takes a deprecation back. */
    liftDeprecation: (input: api.LiftDeprecationInput, options?: CallOptions) =>
      call('liftDeprecation', input, options),
    /** Lets a team own the pattern, or nobody with null. */
    setTeam: (input: api.SetPatternTeamInput, options?: CallOptions) => call('setPatternTeam', input, options),
    /** All moves of the pattern's labels, newest first. */
    listAllLabelMoves: (input: Omit<api.ListLabelMovesInput, 'cursor'>, options?: CallOptions) =>
      allItems((cursor) => call('listLabelMoves', { limit: 200, ...input, cursor }, options)),
    /** Points a label at a version. */
    setLabel: (input: api.SetLabelInput, options?: CallOptions) => call('setLabel', input, options),
    /** Removes a label. */
    removeLabel: (input: api.RemoveLabelInput, options?: CallOptions) => call('removeLabel', input, options),
  };
}

/** Imports take as long as the server allows them. */
const importMs = 200_000;

function importCalls(connection: Connection, call: Call) {
  return {
    /** Imports a folder in Fabric's tree, all or nothing. `dry_run` only reports. Throws `import_conflict`. */
    create: (input: api.ImportTreeInput, options?: CallOptions) =>
      call('importTree', input, { timeoutMs: importMs, ...options }),
    /** Imports the bytes of a zip, tar or tar.gz. Throws `invalid_archive`, `invalid_tree`, `import_conflict`. */
    archive: (bytes: Uint8Array<ArrayBuffer>, input: api.ImportArchiveInput = {}, options?: CallOptions) => {
      const contentType =
        bytes[0] === 0x50 ? 'application/zip' : bytes[0] === 0x1f ? 'application/gzip' : 'application/x-tar';
      return callOperation(
        connection,
        'importArchive',
        input,
        { timeoutMs: importMs, ...options },
        { bytes, contentType },
      );
    },
    /** Imports one commit of a public repository over https. Throws `invalid_repository`, `egress_denied`. */
    git: (input: api.ImportGitInput, options?: CallOptions) =>
      call('importGit', input, { timeoutMs: importMs, ...options }),
  };
}

function strategyCalls(call: Call) {
  return {
    /** One page of strategies by name. */
    list: (input: api.ListStrategiesInput = {}, options?: CallOptions) => call('listStrategies', input, options),
    /** All strategies by name. */
    listAll: (input: Omit<api.ListStrategiesInput, 'cursor'> = {}, options?: CallOptions) =>
      allItems((cursor) => call('listStrategies', { limit: 200, ...input, cursor }, options)),
    /** One strategy. */
    read: (input: api.ReadStrategyInput, options?: CallOptions) => call('readStrategy', input, options),
    /** Creates or replaces a strategy. */
    put: (input: api.PutStrategyInput, options?: CallOptions) => call('putStrategy', input, options),
    /** Deletes a strategy. */
    delete: (input: api.DeleteStrategyInput, options?: CallOptions) => call('deleteStrategy', input, options),
  };
}

function contextCalls(call: Call) {
  return {
    /** One page of contexts by name, without their texts. */
    list: (input: api.ListContextsInput = {}, options?: CallOptions) => call('listContexts', input, options),
    /** All contexts by name. */
    listAll: (input: Omit<api.ListContextsInput, 'cursor'> = {}, options?: CallOptions) =>
      allItems((cursor) => call('listContexts', { limit: 200, ...input, cursor }, options)),
    /** One context with its text. */
    read: (input: api.ReadContextInput, options?: CallOptions) => call('readContext', input, options),
    /** Creates or replaces a context. */
    put: (input: api.PutContextInput, options?: CallOptions) => call('putContext', input, options),
    /** Deletes a context and its text. */
    delete: (input: api.DeleteContextInput, options?: CallOptions) => call('deleteContext', input, options),
  };
}

function sessionCalls(call: Call) {
  return {
    /** One page of sessions by name. */
    list: (input: api.ListSessionsInput = {}, options?: CallOptions) => call('listSessions', input, options),
    /** All sessions by name. */
    listAll: (input: Omit<api.ListSessionsInput, 'cursor'> = {}, options?: CallOptions) =>
      allItems((cursor) => call('listSessions', { limit: 200, ...input, cursor }, options)),
    /** One session without its turns. */
    read: (input: api.ReadSessionInput, options?: CallOptions) => call('readSession', input, options),
    /** One page of a session's turns, oldest first. */
    listTurns: (input: api.ListTurnsInput, options?: CallOptions) => call('listTurns', input, options),
    /** All turns of a session, oldest first. */
    listAllTurns: (input: Omit<api.ListTurnsInput, 'cursor'>, options?: CallOptions) =>
      allItems((cursor) => call('listTurns', { limit: 200, ...input, cursor }, options)),
    /** Creates or replaces a session. Throws `session_busy` while a run is under way in it. */
    put: (input: api.PutSessionInput, options?: CallOptions) => call('putSession', input, options),
    /** Deletes a session with all its turns. */
    delete: (input: api.DeleteSessionInput, options?: CallOptions) => call('deleteSession', input, options),
  };
}

function timerCalls(call: Call) {
  return {
    /** One page of timers by name. */
    list: (input: api.ListTimersInput = {}, options?: CallOptions) => call('listTimers', input, options),
    /** All timers by name. */
    listAll: (input: Omit<api.ListTimersInput, 'cursor'> = {}, options?: CallOptions) =>
      allItems((cursor) => call('listTimers', { limit: 200, ...input, cursor }, options)),
    /** One timer with what it starts. */
    read: (input: api.ReadTimerInput, options?: CallOptions) => call('readTimer', input, options),
    /** Creates or replaces a timer. Throws what the run that it starts would throw. */
    put: (input: api.PutTimerInput, options?: CallOptions) => call('putTimer', input, options),
    /** Deletes a timer; runs that it started stay. */
    delete: (input: api.DeleteTimerInput, options?: CallOptions) => call('deleteTimer', input, options),
    /** One page of a timer's ticks, newest first. */
    ticks: (input: api.ListTimerTicksInput, options?: CallOptions) => call('listTimerTicks', input, options),
  };
}

function providerCalls(call: Call) {
  return {
    /** Providers of the workspace, without their keys. */
    list: (options?: CallOptions) => call('listProviders', {}, options),
    /** Adds or changes a provider. Throws `egress_denied`, `secret_required`. */
    put: (input: api.PutProviderInput, options?: CallOptions) => call('putProvider', input, options),
    /** Calls a provider once with a few tokens and tells how it went; a failure is told, not thrown. */
    test: (input: api.TestProviderInput, options?: CallOptions) => call('testProvider', input, options),
    /** How the providers have behaved in the last minute, as the answering process saw it. */
    health: (options?: CallOptions) => call('readProviderHealth', {}, options),
    /** Removes a provider and its key. */
    delete: (input: api.DeleteProviderInput, options?: CallOptions) => call('deleteProvider', input, options),
  };
}

function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw new TypeError(`'${text}' is not the address of a server. Write it like http://127.0.0.1:7440.`);
  }
  return url.href.replace(/\/+$/, '');
}
