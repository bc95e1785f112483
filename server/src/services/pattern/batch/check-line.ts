import type { BatchItem } from '@damask/contracts/batch-operations.ts';
import { AppError } from '#platform/app-error.ts';
import { takeSubject } from '../run/start-request.ts';
import { resolveVariables, type VariableRule } from '../template/variables.ts';
import { faultOfError, type LineFault } from './line-fault.ts';

/** What a version asks of each line. Travels to the thread that reads an upload. */
export interface LineRules {
  readonly variables: readonly VariableRule[];
  /** The input may be left out: the text has a place for it, or needs none. */
  readonly blankInput: boolean;
  /** Characters; null: no bound but that of a line. */
  readonly inputCharacters: number | null;
}

/** What a run of this line would be refused for, or undefined. `columnOf` tells where a field stands. */
export function checkLine(
  rules: LineRules,
  line: number,
  { input = '', variables, metadata }: BatchItem,
  columnOf: (pointer: string) => number | null,
): LineFault | undefined {
  try {
    const { inputCharacters: most } = rules;
    if (most !== null && input.length > most) {
      throw new AppError('input_too_long', `The input holds ${input.length} characters; this pattern takes ${most}.`, {
        pointer: '/input',
      });
    }
    if (!rules.blankInput && input.trim() === '') {
      throw new AppError('invalid_request', 'The input is empty. Send the text that the pattern works on.', {
        pointer: '/input',
      });
    }
    resolveVariables(rules.variables, variables);
    if (metadata?.subject !== undefined) takeSubject({ metadata });
    return undefined;
  } catch (error) {
    const fault = faultOfError(line, error);
    return { ...fault, column: fault.pointer === null ? null : columnOf(fault.pointer) };
  }
}
