import type { Database } from '#platform/database/database.ts';
import type { Vault } from '#platform/vault.ts';
import type { Claim, RunEnd, StepError, StepProvider } from '../engine/ports.ts';
import type { Drive, Work } from '../engine/work.ts';
import { type StoppedActors, timeOfId } from '../queue/stopped-actors.ts';
import type { HeldTask } from '../queue/task-record.ts';
import { type SealedEnd, sealEnd } from './end-queued-run.ts';
import type { OutputPublisher } from './output-publisher.ts';
import { createOutputText } from './output-text.ts';
import type { StepParts } from './plan-step.ts';
import { createQueuedCalls } from './queued-calls.ts';
import { openRequest } from './queued-request.ts';
import { createRunsAtHand, type QueuedLive, type RunAtHand } from './run-at-hand.ts';
import { cancelled } from './run-signals.ts';
import { isCancelAsked } from './signal-store.ts';

/** What a worker needs of runs: what a claimed one asks for, the way to models, and the record of its end. */
export interface QueuedRuns {
  readonly provider: StepProvider;
  /** The record of a run's end, with its sealed texts; not yet written. */
  toRecord(claim: Claim, end: RunEnd): Promise<SealedEnd>;
  /** Opens what was claimed. Errors: `unavailable` when it cannot be decrypted. */
  open(held: HeldTask): Promise<OpenedRun>;
}

/** A claimed run in this process. `close` must come once it is let go. */
export interface OpenedRun {
  readonly work: Work;
  /** Why it must not be begun, or gone on with. */
  readonly refused?: StepError | undefined;
  /** It can be followed and cancelled from here on. */
  begin(drive: Drive): void;
  /** Nobody finds it here any more. `ended`: its record is committed, and whoever reads along is told. */
  close(ended: boolean): void;
}

/** Milliseconds: nobody keeps a connection open for a budget's next day, or for a provider that is busy for an hour. */
const longestAttended = 60_000;

export function createQueuedRuns(
  parts: StepParts & {
    readonly database: Database;
    readonly vault: Vault;
    readonly publisher: OutputPublisher;
    readonly stopped: StoppedActors;
  },
): QueuedRuns {
  const { engine, vault, publisher, answers } = parts;
  const runs = createRunsAtHand();
  return {
    provider: createQueuedCalls(parts, runs, (run) => publisher.grown(run.live, run.claim.token)),
    async toRecord(claim, end) {
      const run = runs.of(claim);
      run.end = await sealEnd(engine, run.row, run.request, end, detailsOf(run));
      return run.end;
    },
    async open({ claim, row, lane, request: sealed }) {
      if (sealed === null) throw new Error(`The run ${row.id} was queued without its request`);
      const request = await openRequest(vault, row, sealed);
      let drive: Drive | undefined;
      const live: QueuedLive = {
        row,
        // A process that stops gives it back: another one goes on with it.
        stop: (code, detail) => (code === 'interrupted' ? drive?.handBack() : drive?.stop(code, detail)),
        decided: () => drive?.decided(),
        output: createOutputText(),
        readers: null,
        ...(request.chain ? { steps: [] } : {}),
        ...(request.redact ? { late: true as const } : {}),
      };
      const bulk = lane === 'bulk';
      const run: RunAtHand = {
        ...{ claim, row, request, bulk, live, prepared: new Map(), redacted: {} },
        ...{ answer: undefined, cachedFrom: undefined, keep: undefined, end: undefined },
      };
      // Whoever had it before may have died with the request to stop it.
      const stopped = claim.token > 1n && (await isCancelAsked(parts.database, row.workspace, row.id));
      runs.add(run);
      const { input, variables = {} } = request.request;
      const changed = (path: string, state: string) => {
        live.steps?.push({ path, state });
        live.readers?.wake();
      };
      const patience = request.attended ? { patience: longestAttended } : {};
      const shared = { input, variables, ...patience, ...(request.chain ? { changed } : {}) };
      return {
        refused: parts.stopped.refusal(row.workspace, row.actor, timeOfId(row.batch ?? row.id)),
        work: request.chain
          ? { kind: 'chain', plan: request.chain, ...shared }
          : { kind: 'plain', timeoutMs: request.timeoutMs, ...shared },
        begin(driven) {
          drive = driven;
          engine.live.add(live);
          if (stopped) driven.stop('run_cancelled', cancelled);
        },
        close(ended) {
          const { keep, end } = run;
          runs.remove(run);
          // What was prepared and never went out.
          for (const { reservation } of run.prepared.values()) reservation?.release();
          engine.live.remove(live);
          publisher.ended(live);
          if (ended && end) {
            engine.observe(end.row);
            if (keep) answers.put(row.workspace, keep.key, end.toRun(), keep.seconds);
            live.readers?.end(end.toRun());
          }
          live.readers?.close();
        },
      };
    },
  };
}

function detailsOf({ answer, cachedFrom, redacted }: RunAtHand) {
  return {
    redacted,
    ...(answer?.ok ? { toolCalls: answer.tool_calls } : {}),
    cachedFrom,
  };
}
