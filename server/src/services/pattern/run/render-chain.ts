import type { InputOf, OutputOf } from '@damask/contracts/operation.ts';
import type { runOperations } from '@damask/contracts/run-operations.ts';
import { pinChain } from '../chain/pin-chain.ts';
import { listPinnedSteps } from '../chain/pinned-steps.ts';
import { refuseForChain } from '../chain/refuse-for-chain.ts';
import type { RunPlan } from './plan-run.ts';
import type { RunParts } from './run-parts.ts';

type Operation = (typeof runOperations)['renderRun'];

/** What a run of a chain would do: it sends nothing itself, and what its steps send depends on the answers before. */
export async function renderChain(
  { library }: Pick<RunParts, 'library'>,
  workspace: string,
  input: InputOf<Operation>,
  { pattern, patternId, version, deprecated }: RunPlan,
): Promise<OutputOf<Operation>> {
  refuseForChain(input);
  const plan = await pinChain(library, workspace, { id: patternId, name: pattern }, version);
  return {
    pattern,
    version: version.number,
    digest: version.digest,
    model: null,
    parameters: {},
    messages: [],
    includes: [],
    steps: listPinnedSteps(plan),
    deprecated,
  };
}
