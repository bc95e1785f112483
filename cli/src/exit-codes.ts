import { DamaskError, errorStatuses } from '@damask/sdk';
import { InputError } from './input-error.ts';
import { Interrupted } from './interrupted.ts';
import { OutputError } from './output-error.ts';
import { StartError } from './start-error.ts';
import { UsageError } from './usage-error.ts';

/** What a script can rely on. */
export const exitCodes = {
  ok: { code: 0, meaning: 'Done.' },
  failed: { code: 1, meaning: 'The run failed (provider, truncated, timeout, ...), or something failed on our side.' },
  usage: { code: 2, meaning: 'The command line or the environment is wrong.' },
  unreachable: { code: 3, meaning: 'No server answers, and none could be started.' },
  refused: { code: 4, meaning: 'The key is missing or wrong (401), or its role does not allow this (403).' },
  notFound: { code: 5, meaning: 'The pattern, version, model, run or file is not there (404).' },
  badInput: { code: 6, meaning: 'The input is refused (400, 409, 413, 415, 422).' },
  busy: { code: 7, meaning: 'A limit or a busy part: try again later (429, 503).' },
  noOutput: { code: 8, meaning: 'The output could not be written, for example to a full disk.' },
  interrupted: {
    code: 130,
    meaning: 'Interrupted by Ctrl-C; the run was cancelled. Another signal: 128 and its number.',
  },
} as const;

// A run that failed counts as failed whatever its HTTP status.
const runFailures = new Set([
  'provider_error',
  'provider_protocol_error',
  'provider_auth',
  'truncated',
  'interrupted',
  'timeout',
  'client_timeout',
  'run_cancelled',
  'unrecorded',
  'slow_consumer',
  'internal',
]);

export function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return error.exitCode;
  if (error instanceof UsageError) return exitCodes.usage.code;
  if (error instanceof InputError) return exitCodes[error.kind].code;
  if (error instanceof OutputError) return exitCodes.noOutput.code;
  if (error instanceof StartError) return exitCodes[error.tryLater ? 'busy' : 'unreachable'].code;
  if (!(error instanceof DamaskError)) return exitCodes.failed.code;
  if (error.code === 'unreachable' || error.code === 'unexpected_response') return exitCodes.unreachable.code;
  if (runFailures.has(error.code)) return exitCodes.failed.code;
  return codeOfStatus(error.status ?? (errorStatuses as Record<string, number>)[error.code] ?? 500);
}

function codeOfStatus(status: number): number {
  if (status === 401 || status === 403) return exitCodes.refused.code;
  if (status === 404) return exitCodes.notFound.code;
  if (status === 429 || status === 503) return exitCodes.busy.code;
  if (status >= 400 && status < 500) return exitCodes.badInput.code;
  return exitCodes.failed.code;
}
