import type { ErrorCode } from '@damask/contracts/errors.ts';
import { unknownUsage } from '../model/model-call.ts';
import type { AskedCall, OpenCall } from './part.ts';
import type { CallIntent, Claim, EnginePorts, PreparedCall, StepResult } from './ports.ts';
import type { ProgressWriter } from './progress-writer.ts';

/** Calls of one run at once: more wait, so that one chain does not fill a provider by itself. */
const mostOut = 32;

/** The calls of a run on their way: asked for, prepared, noted, out. */
export interface CallsOut {
  ask(asked: AskedCall): OpenCall;
  /** Lets go out what may. */
  pump(): void;
  readonly preparing: boolean;
  readonly active: boolean;
  /** Forgets what is not out, and aborts what is: each comes back with this code. */
  stop(code: ErrorCode, detail: string): void;
  /** Aborts what is out, and hears nothing more. */
  abandon(): void;
}

interface Entry {
  readonly asked: AskedCall;
  cancelled: boolean;
  forgo?: (() => void) | undefined;
  abort?: (code: ErrorCode, detail: string) => void;
}

export function createCallsOut(
  { provider }: Pick<EnginePorts, 'provider'>,
  claim: Claim,
  writer: ProgressWriter,
  told: { settle(): void; began(path: string): void },
): CallsOut {
  let queue: Entry[] = [];
  const underway = new Set<Entry>();
  let preparing = 0;
  let stopped = false;
  let abandoned = false;

  const forgo = (entry: Entry) => {
    entry.forgo?.();
    entry.forgo = undefined;
  };
  const forget = (entry: Entry) => {
    entry.cancelled = true;
    queue = queue.filter((other) => other !== entry);
  };

  async function prepare(entry: Entry) {
    underway.add(entry);
    preparing += 1;
    const { call, refused } = entry.asked;
    let prepared: PreparedCall | undefined;
    let failure: unknown;
    try {
      prepared = await provider.prepare(claim, call);
    } catch (error) {
      failure = error;
    }
    preparing -= 1;
    if (abandoned || entry.cancelled) {
      underway.delete(entry);
      prepared?.forgo?.();
      if (abandoned) return;
    } else if (prepared === undefined) {
      underway.delete(entry);
      refused(failure);
    } else {
      const { model, reserved_micros, on_uncertain } = prepared;
      const intent = { step: call.path, number: call.number, model, reserved_micros, on_uncertain };
      entry.forgo = prepared.forgo;
      writer.note(intent, () => goOut(entry, intent));
    }
    told.settle();
  }

  function goOut(entry: Entry, intent: CallIntent) {
    if (entry.cancelled || abandoned) {
      writer.ended(intent.step);
      underway.delete(entry);
      forgo(entry);
      return;
    }
    told.began(intent.step);
    const call = provider.call(claim, entry.asked.call);
    entry.abort = call.abort;
    const back = (result: StepResult) => {
      underway.delete(entry);
      if (abandoned) return;
      writer.ended(intent.step);
      entry.asked.done(result, intent);
      told.settle();
    };
    // One call that breaks its promise must not end the process with all its runs.
    void call.done.catch(() => broken(intent.model)).then(back);
  }

  return {
    ask(asked) {
      const entry: Entry = { asked, cancelled: false };
      // Steps whose calls come back aborted may still ask for those after them.
      if (!stopped) queue.push(entry);
      return {
        cancel() {
          forget(entry);
          entry.abort?.('run_cancelled', 'Another step failed, so this one is not needed any more.');
        },
      };
    },
    pump() {
      while (queue.length > 0 && underway.size < mostOut) void prepare(queue.shift() as Entry);
    },
    get preparing() {
      return preparing > 0;
    },
    get active() {
      return queue.length > 0 || underway.size > 0;
    },
    stop(code, detail) {
      stopped = true;
      for (const entry of [...queue, ...underway]) {
        forget(entry);
        entry.abort?.(code, detail);
      }
    },
    abandon() {
      abandoned = true;
      queue = [];
      for (const entry of underway) {
        if (entry.abort) entry.abort('interrupted', 'The worker stopped.');
        else forgo(entry);
      }
    },
  };
}

function broken(model: string): StepResult {
  const attempt = { number: 1, model, outcome: 'uncertain', code: 'internal', provider_status: null } as const;
  return {
    ok: false,
    code: 'internal',
    detail: 'The call failed on our side. Tell the operator, with the id of the run.',
    output: '',
    sanitised: false,
    spent: {
      model,
      attempts: [{ ...attempt, first_output_ms: null, total_ms: null }],
      usage: unknownUsage,
      cost_micros: null,
      first_output_ms: null,
    },
  };
}
