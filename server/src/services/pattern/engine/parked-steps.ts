import type { Clock, Timer } from '#platform/clock.ts';
import type { OpenCall, ParkedStep } from './part.ts';
import type { StepDecision, WaitReason } from './ports.ts';

/** Milliseconds for which a run is held rather than given back to come again. */
const holdFor = 1_000;

/** Steps that go on later. */
export interface ParkedSteps {
  add(step: ParkedStep): OpenCall;
  decide(path: string, decision: StepDecision): void;
  /** Whether one goes on so soon that the run is held for it. */
  readonly soon: boolean;
  /** Paths of those that a person decides about. */
  readonly asked: readonly string[];
  /** What the run waits for when it is given back; undefined: for nothing. */
  readonly reason:
    | { readonly why: WaitReason; readonly until: number | null; readonly because: string | null }
    | undefined;
  clear(): void;
}

export function createParkedSteps(options: { clock: Clock; now(): number; settle(): void }): ParkedSteps {
  const { clock, now, settle } = options;
  const steps = new Map<ParkedStep, Timer | undefined>();
  const resume = (step: ParkedStep, decision: StepDecision | null) => {
    steps.get(step)?.cancel();
    if (!steps.delete(step)) return;
    step.resume(decision);
    settle();
  };
  const soonest = () => {
    let first = Number.POSITIVE_INFINITY;
    for (const { until } of steps.keys()) first = Math.min(first, until ?? first);
    return first;
  };
  return {
    add(step) {
      const timer = step.until === null ? undefined : clock.after(step.until - now(), () => resume(step, null));
      steps.set(step, timer);
      return {
        cancel() {
          timer?.cancel();
          steps.delete(step);
        },
      };
    },
    decide(path, decision) {
      for (const step of [...steps.keys()]) if (step.path === path && step.why !== 'retry') resume(step, decision);
    },
    get soon() {
      return soonest() - now() <= holdFor;
    },
    get asked() {
      return [...steps.keys()].filter(({ why }) => why !== 'retry').map(({ path }) => path);
    },
    get reason() {
      const [any] = steps.keys();
      if (any === undefined) return undefined;
      const first = soonest();
      // A person may decide at any time, so the run must be found by who decides.
      const person = [...steps.keys()].find(({ why }) => why !== 'retry');
      const { why, because = null } = person ?? any;
      return { why, because, until: first === Number.POSITIVE_INFINITY ? null : first };
    },
    clear() {
      for (const timer of steps.values()) timer?.cancel();
      steps.clear();
    },
  };
}
