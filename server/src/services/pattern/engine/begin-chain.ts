import { type ChainPlan, itemPath, type PlannedStep, stepPath } from '../chain/chain-plan.ts';
import { combineItems, outcomeOfFailure, skipped } from '../chain/combine-outcomes.ts';
import { judgeWhen } from '../chain/judge-when.ts';
import {
  type ChainScope,
  resolveList,
  resolveReference,
  type StepOutcome,
  toText,
} from '../chain/resolve-reference.ts';
import { readySteps } from '../chain/step-order.ts';
import { storableText } from '../run/output-text.ts';
import { beginApproval } from './begin-approval.ts';
import { beginMany } from './begin-many.ts';
import { beginUnit } from './begin-unit.ts';
import { keepEnd, keepSkipped } from './keep-end.ts';
import type { ChainFrame, Ended, Host, Part, PartEnd } from './part.ts';
import type { StepError } from './ports.ts';

/** Begins each step once all that it needs has ended; the first failure that no step goes on from ends the chain. */
export function beginChain(host: Host, { plan, frame, input, variables }: ChainFrame, ended: Ended): Part {
  const outcomes = new Map<string, StepOutcome>();
  const begun = new Set<string>();
  const open = new Map<string, Part>();
  const scope: ChainScope = { input, variables: { ...plan.defaults, ...variables }, steps: outcomes };
  let over = false;
  let advancing = false;

  const cancel = () => {
    over = true;
    for (const part of open.values()) part.cancel();
  };
  function begin(step: PlannedStep) {
    begun.add(step.name);
    let mine = true;
    const part = beginStep(host, stepPath(frame, step.name), step, scope, (end) => {
      mine = false;
      open.delete(step.name);
      if (over) return;
      if (!end.ok) {
        cancel();
        return ended({ ok: false, error: named(end.error, step.name) });
      }
      outcomes.set(step.name, end.outcome);
      advance();
    });
    if (part && mine) {
      open.set(step.name, part);
      if (over) part.cancel();
    }
  }
  function advance() {
    if (advancing) return;
    advancing = true;
    for (let again = true; again && !over; ) {
      const ready = readySteps(plan.steps, begun, outcomes);
      for (const step of ready) if (!over) begin(step);
      again = ready.length > 0;
    }
    advancing = false;
    if (over || outcomes.size < plan.steps.length) return;
    over = true;
    ended({ ok: true, outcome: outcomeOf(plan, scope) });
  }
  advance();
  return { cancel };
}

function outcomeOf({ output, json }: ChainPlan, scope: ChainScope): StepOutcome {
  const value = resolveReference(output, scope);
  if (value === undefined || value === null) return skipped;
  const text = toText(value);
  const said = storableText(text, text.length);
  if (!json) return { output: said };
  const data = output.from === 'output' ? scope.steps.get(output.step)?.data : value;
  return { output: said, data };
}

function beginStep(host: Host, path: string, step: PlannedStep, scope: ChainScope, ended: Ended): Part | undefined {
  const { when, work } = step;
  if (!judgeWhen(when, scope)) {
    keepSkipped(host, path, work.kind === 'call' ? work.call.pin : null);
    ended({ ok: true, outcome: skipped });
    return undefined;
  }
  if (work.kind === 'approval') return beginApproval(host, path, work, scope, ended);
  const orElse = (end: PartEnd) => ended(goOn(host, end, work.on_error));
  const { forEach } = work;
  if (!forEach) return beginUnit(host, path, work, scope, orElse);

  const told = keepEnd(host, path, work.call.pin, orElse);
  const refuse = (detail: string): undefined =>
    told({ ok: false, error: { code: 'invalid_output', detail } }) as undefined;
  const list = resolveList(forEach.list, scope);
  if (list === null) return refuse('What the step goes through is no list. Let the step before answer one.');
  if (list === undefined) {
    told({ ok: true, outcome: skipped });
    return undefined;
  }
  const most = forEach.max_items;
  if (list.length > most) {
    return refuse(
      `The list has ${list.length} entries, and the step allows ${most}. Raise its max_items, or split the input.`,
    );
  }
  return beginMany(
    list.length,
    forEach.parallel,
    (index, one) => {
      const at = itemPath(path, index);
      const itemScope: ChainScope = { ...scope, item: list[index], index };
      if (judgeWhen(forEach.when, itemScope)) {
        return beginUnit(host, at, work, itemScope, (end) => one(goOn(host, end, work.on_error)));
      }
      keepSkipped(host, at, work.call.pin);
      one({ ok: true, outcome: skipped });
      return undefined;
    },
    (end) => told(end.ok ? { ok: true, outcome: combineItems(end.outcomes) } : end),
  );
}

/** What a part that failed counts as, where its step goes on from that. What was aborted with its run did not fail. */
function goOn(host: Host, end: PartEnd, onError: Parameters<typeof outcomeOfFailure>[0]): PartEnd {
  const outcome = end.ok || host.stopping ? undefined : outcomeOfFailure(onError);
  return outcome ? { ok: true, outcome } : end;
}

/** The innermost step is named once; those around it say where that is. */
function named({ code, detail }: StepError, step: string): StepError {
  const said = /^Step ([\w./[\]-]+): /.exec(detail);
  return { code, detail: said ? `Step ${step}/${detail.slice('Step '.length)}` : `Step ${step}: ${detail}` };
}
