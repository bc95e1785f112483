import { unitsAllowed } from '../chain/chain-plan.ts';
import { beginChain } from './begin-chain.ts';
import { beginWork } from './begin-work.ts';
import { type CallsOut, createCallsOut } from './calls-out.ts';
import { insist } from './insist.ts';
import { createParkedSteps } from './parked-steps.ts';
import type { Host, PartEnd } from './part.ts';
import type { Claim, EnginePorts, Held, Progress, StepError, StepRecord } from './ports.ts';
import { createProgressWriter, type ProgressWriter } from './progress-writer.ts';
import { endLeftOver, toRunEnd } from './run-end.ts';
import type { Drive, DriveEnd, Work } from './work.ts';

const longestTimer = 2 ** 31 - 1;
const late: StepError = { code: 'timeout', detail: 'The run did not end by its deadline. Give it more time.' };
/** What the steps of one run answer is in memory while it goes on. */
const charactersAllowed = 64 * 1024 * 1024;
const tooMuch: StepError = {
  code: 'policy_refused',
  detail: 'The answers of the steps came to more than 64 million characters. Split the input over several runs.',
};
const stuck: StepError = { code: 'internal', detail: 'The run could not go on. Tell the operator, with its id.' };

/**
 * Takes a claimed run on from its last checkpoint, until it ends, waits or is lost. A call goes out only after its intent was
 * kept, and no step is called again whose checkpoint was kept: `docs/decisions/0020-engine.md`.
 */
export function drive(ports: EnginePorts, claim: Claim, work: Work): Drive {
  const { clock, store, queue } = ports;
  const began = clock.monotonic();
  const now = () => claim.now + Math.trunc(clock.monotonic() - began);
  const records = new Map<string, StepRecord>();
  const lost = new Map(claim.calling.map((intent) => [intent.step, intent]));
  const { promise: done, resolve, reject } = Promise.withResolvers<DriveEnd>();
  let stepped = claim.stepped;
  let units = 0;
  let characters = 0;
  let begun = false;
  /** Nothing more is done here, whatever comes back. */
  let over = false;
  let handing = false;
  let leaving = false;
  let stopped: StepError | undefined;
  let ended: PartEnd | undefined;

  const writer: ProgressWriter = createProgressWriter(ports, claim, claim.calling, {
    kept(saved) {
      stepped ||= saved.length > 0;
      for (const { path, state } of saved) work.changed?.(path, state);
    },
    done: () => settle(),
    lost: () => quit({ kind: 'lost' }),
    failed: (error) => giveUp(error),
  });
  const calls: CallsOut = createCallsOut(ports, claim, writer, {
    settle: () => settle(),
    began: (path) => work.changed?.(path, 'running'),
  });
  const parked = createParkedSteps({ clock, now, settle: () => settle() });
  const left = (claim.deadline ?? Number.POSITIVE_INFINITY) - claim.now;
  // Timers end at 24 days; no run is held for so long.
  const deadline = left > longestTimer ? undefined : clock.after(left, () => stop(late));

  const host: Host = {
    now,
    random: ports.random,
    deadline: claim.deadline,
    patience: work.patience,
    get stopping() {
      return stopped !== undefined;
    },
    record: (path) => records.get(path),
    takeLost(path) {
      const intent = lost.get(path);
      if (intent && lost.delete(path)) writer.ended(path);
      return intent;
    },
    save(record) {
      records.set(record.path, record);
      // The end of a run of one step says all; a record beside it is kept only where there was one before.
      if (record.path !== '' || record.state === 'waiting' || stepped || writer.pending) writer.save(record);
      characters += record.output?.length ?? 0;
      if (characters > charactersAllowed) stop(tooMuch);
    },
    chain: (frame, end) => beginChain(host, frame, end),
    count: () => ++units <= unitsAllowed,
    call: (asked) => calls.ask(asked),
    park: (step) => parked.add(step),
  };

  async function begin() {
    if (claim.stepped) {
      for (const record of await insist(clock, () => store.steps(claim))) records.set(record.path, record);
    }
    if (over) return;
    begun = true;
    // Nothing may begin that a timer would end in a moment.
    if (left <= 0) stopped ??= late;
    if (stopped === undefined && !handing) {
      beginWork(host, work, (end) => {
        ended = end;
      });
    }
    settle();
  }

  /** After whatever happened: lets go out what may, keeps what came together, and sees whether this is the end. */
  function settle() {
    if (over || leaving || !begun) return;
    if (!handing && stopped === undefined) calls.pump();
    if (writer.busy) return;
    if (handing) release(null, null);
    else if (writer.noting) writer.flush();
    else if (calls.active || (parked.soon && !ending())) {
      // What is being prepared is noted in a moment: one commit for both.
      if (writer.pending && !calls.preparing) writer.flush();
    } else if (ending()) finish();
    else rest();
  }

  const ending = () => ended !== undefined || stopped !== undefined;

  function finish() {
    for (const record of endLeftOver(records, lost.values(), now())) host.save(record);
    const end = toRunEnd(work, ended, stopped, records, { claimed: claim.now, now: now() });
    leave({ kind: 'ended', end }, ({ done: last }) => store.finish(claim, end, last));
  }

  /** Nothing can be done until later: whoever is free then takes it up. */
  function rest() {
    const { reason } = parked;
    if (reason === undefined) {
      stopped = stuck;
      return finish();
    }
    const { why } = reason;
    const until = Math.min(reason.until ?? Number.POSITIVE_INFINITY, claim.deadline ?? Number.POSITIVE_INFINITY);
    const at = until === Number.POSITIVE_INFINITY ? null : until;
    if (why === 'retry') release(at, reason.because);
    else leave({ kind: 'waiting' }, (progress) => queue.wait(claim, { ...progress, why, until: at }));
  }

  function release(readyAt: number | null, because: string | null) {
    leave({ kind: 'released' }, (progress) => queue.release(claim, { ...progress, readyAt, because }));
  }

  function leave(end: DriveEnd, act: (progress: Progress) => Promise<Held>) {
    leaving = true;
    work.leaving?.();
    writer.close(act).then(
      (held) => quit(held === 'held' ? end : { kind: 'lost' }),
      (error: unknown) => giveUp(error),
    );
  }

  function letGo() {
    over = true;
    deadline?.cancel();
    parked.clear();
    calls.abandon();
  }

  function quit(end: DriveEnd) {
    letGo();
    resolve(end);
  }

  function giveUp(error: unknown) {
    letGo();
    reject(error);
  }

  function stop(error: StepError) {
    if (over || leaving || stopped !== undefined) return;
    stopped = error;
    calls.stop(error.code, error.detail);
    settle();
  }

  begin().catch(giveUp);
  return {
    done,
    stop: (code, detail) => stop({ code, detail }),
    handBack() {
      if (over || handing) return;
      handing = true;
      calls.abandon();
      settle();
    },
    decided() {
      if (over || stopped !== undefined || parked.asked.length === 0) return;
      store.steps(claim).then(
        (found) => {
          for (const { path, decision } of found)
            if (decision && !over && stopped === undefined) parked.decide(path, decision);
        },
        // It is found again when the run waits.
        () => undefined,
      );
    },
    drop() {
      if (!over) quit({ kind: 'lost' });
    },
  };
}
