import type {
  ApprovalWork,
  CallWork,
  ChainPlan,
  PinnedVersion,
  PlannedCall,
  PlannedStep,
  PlannedText,
  Reference,
} from '../chain/chain-plan.ts';
import type { OnUncertain } from './ports.ts';

export const outputOf = (step: string): Reference => ({ from: 'output', step });
export const dataOf = (step: string, ...path: (string | number)[]): Reference => ({ from: 'data', step, path });

export const pin = (pattern: string): PinnedVersion => ({
  pattern,
  id: `id of ${pattern}`,
  version: 3,
  digest: `digest of ${pattern}`,
});

export function plannedCall(
  pattern: string,
  chain: ChainPlan | null = null,
  onUncertain: OnUncertain = 'retry',
): PlannedCall {
  return { pin: pin(pattern), variables: {}, on_uncertain: onUncertain, chain };
}

/** A step that calls the pattern of its own name. */
export function callStep(
  name: string,
  input: PlannedText,
  work: Partial<CallWork> = {},
  needs?: string[],
): PlannedStep {
  return {
    name,
    needs: needs ?? needsOf(input, work),
    when: [],
    work: {
      kind: 'call',
      call: plannedCall(name),
      input,
      forEach: null,
      mapReduce: null,
      retry: { times: 0, wait_ms: 0 },
      timeout_ms: null,
      on_error: 'fail',
      model: null,
      parameters: {},
      ...work,
    },
  };
}

export function approvalStep(name: string, message: PlannedText, work: Partial<ApprovalWork> = {}): PlannedStep {
  const approval: ApprovalWork = {
    kind: 'approval',
    message,
    timeout_seconds: 3 * 86_400,
    on_timeout: 'reject',
    on_error: 'fail',
    ...work,
  };
  return { name, needs: needsOf(message, {}), when: [], work: approval };
}

function needsOf(text: PlannedText, { forEach }: Partial<CallWork>): string[] {
  const references = [...text.filter((part): part is Reference => 'from' in part), ...(forEach ? [forEach.list] : [])];
  return [...new Set(references.flatMap((reference) => ('step' in reference ? [reference.step] : [])))];
}

export function chainOf(name: string, steps: readonly PlannedStep[], output: Reference, json = false): ChainPlan {
  return { pin: pin(name), defaults: {}, steps, output, json };
}

const input: Reference = { from: 'input' };

/** Three steps, two of them at once, the second of which fails the first time; then a person is asked. */
export const review: ChainPlan = chainOf(
  'review',
  [
    callStep('outline', [input]),
    callStep('style', [outputOf('outline')], { retry: { times: 2, wait_ms: 400 } }),
    callStep('facts', [outputOf('outline')]),
    approvalStep('check', [{ text: 'Publish?' }, outputOf('style'), outputOf('facts')]),
    callStep('final', [outputOf('style'), outputOf('facts'), outputOf('check')]),
  ],
  outputOf('final'),
);

/** A person is asked while a call is out. */
export const beside: ChainPlan = chainOf(
  'beside',
  [approvalStep('check', [input]), callStep('slow', [input]), callStep('final', [outputOf('slow'), outputOf('check')])],
  outputOf('final'),
);

/** A list, a long text in parts, a chain within, a step that is gone on from, and one that is left out. */
export const report: ChainPlan = chainOf(
  'report',
  [
    callStep('list', [input]),
    callStep('each', [{ from: 'item', path: [] }], {
      forEach: { list: dataOf('list'), max_items: 9, parallel: 2, when: [] },
    }),
    callStep('long', [{ text: 'first part. ' }, { text: 'second part. ' }, input], {
      mapReduce: { size: 14, overlap: 0, parallel: 2, reduce: plannedCall('merge') },
    }),
    callStep('broken', [input], { on_error: 'skip', retry: { times: 1, wait_ms: 2_000 } }),
    {
      ...callStep('left', [outputOf('broken')]),
      when: [{ ref: outputOf('broken'), test: 'exists', value: true }],
    },
    callStep('inner', [outputOf('each')], {
      call: plannedCall(
        'inner',
        chainOf('inner', [callStep('a', [input]), callStep('b', [outputOf('a')])], outputOf('b')),
      ),
    }),
    callStep('end', [outputOf('inner'), outputOf('long'), outputOf('left')]),
  ],
  outputOf('end'),
);
