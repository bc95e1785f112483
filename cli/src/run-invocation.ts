import type { AttachmentInput } from './attachments.ts';
import { type Invocation, jsonFlag, serverFlags } from './command.ts';
import { answerFlags, choiceFlags, queueFlags } from './run-flags.ts';

/** What `damask run` takes, and what a watched run takes over from it. */
export const runFlags = {
  pattern: {
    type: 'string',
    short: 'p',
    value: '<pattern>',
    completes: 'patterns',
    help: 'The pattern, instead of the first argument.',
  },
  ...choiceFlags,
  ...answerFlags,
  ...queueFlags,
  watch: {
    type: 'string',
    multiple: true,
    value: '<path>',
    completes: 'files',
    help: 'Run again when this input changes; a folder with a system.md is published and run when it changes.',
  },
  'dry-run': { type: 'boolean', help: 'Print the exact messages that the run would send; call nothing.' },
  ...jsonFlag,
  ...serverFlags,
} as const;

export type RunInvocation = Invocation<typeof runFlags>;

/** Whether the answer is printed as it comes. */
export function streams({
  flags,
  terminal,
}: {
  readonly flags: Pick<RunInvocation['flags'], 'stream' | 'no-stream' | 'json'>;
  readonly terminal: Pick<RunInvocation['terminal'], 'stdoutIsTerminal'>;
}): boolean {
  return flags.stream ?? (terminal.stdoutIsTerminal && !flags.json && !flags['no-stream']);
}

export async function attachmentsOf(paths: readonly string[]): Promise<AttachmentInput[] | undefined> {
  if (paths.length === 0) return undefined;
  return (await import('./attachments.ts')).readAttachments(paths);
}
