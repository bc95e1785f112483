import { DamaskError } from '@damask/sdk';
import type { Config } from './config.ts';
import { isLoopback } from './credentials.ts';
import { printable, type Terminal } from './terminal.ts';

/** Writes an error to stderr: what is wrong, the way out, and the names under which logs and lists have it. */
export function explainError(error: unknown, config: Config | undefined, terminal: Terminal): void {
  const message = printable(messageOf(error, config));
  terminal.note(`${terminal.paintNote('red', 'damask:')} ${message}`);
  if (!(error instanceof DamaskError)) return;
  // One problem alone is mostly what the sentence above says already.
  const said = (detail: string) =>
    error.problems.length === 1 && error.detail.replace(/\.$/, '') === detail.replace(/\.$/, '');
  for (const problem of error.problems.slice(0, 20)) {
    if (!said(problem.detail)) terminal.note(printable(`  ${placeOf(problem)}: ${problem.detail}`));
  }
  const hint = hintOf(error, config);
  if (hint) terminal.note(`  ${hint}`);
  const names = [
    error.code,
    error.pointer && `at ${error.pointer}`,
    error.runId && `run ${error.runId}`,
    error.requestId && `request ${error.requestId}`,
  ];
  terminal.note(terminal.paintNote('dim', printable(`  (${names.filter(Boolean).join(', ')})`)));
}

function placeOf({ pointer, line, column }: DamaskError['problems'][number]): string {
  if (line === undefined) return pointer;
  return `line ${line}${column == null ? '' : `, column ${column}`}`;
}

function messageOf(error: unknown, config: Config | undefined): string {
  if (!(error instanceof DamaskError)) return error instanceof Error ? error.message : String(error);
  if (error.code !== 'unreachable') return error.detail;
  const cause = (error.cause as NodeJS.ErrnoException | undefined)?.code;
  if (isBroken(error))
    return `The connection to ${config?.url ?? 'the server'} broke before an answer came (${cause}).`;
  return `No server answers at ${config?.url ?? 'the address'}${cause ? ` (${cause})` : ''}.`;
}

/** It was there: what the server made of the request is not known. */
function isBroken({ code, cause }: DamaskError): boolean {
  return (
    code === 'unreachable' && ['EPIPE', 'ECONNRESET'].includes((cause as NodeJS.ErrnoException | undefined)?.code ?? '')
  );
}

const hints: Readonly<Record<string, string>> = {
  unreachable:
    'Start it with `damask serve` or `npm start` in a clone, or set DAMASK_URL. `damask doctor` checks all of it.',
  unexpected_response: 'Look at DAMASK_URL: another program, or a proxy, answers there.',
  model_not_found: '`damask models` lists the models.',
  no_model:
    '`damask model pull` fetches the small local model. Or give the server OPENAI_API_KEY, another key, or Ollama.',
  provider_auth: '`damask providers add <provider>` takes a new key; one of the server is in its settings.',
  budget_exceeded: '`damask budgets` shows what is spent and when each begins anew.',
  price_unknown: '`damask providers add <provider> --model <name>=0.5/1.5` enters the prices of a model.',
  missing_variable: 'Give it with -v name=value. `damask show <pattern>` lists the variables.',
  invalid_variable: '`damask show <pattern>` lists what each variable takes.',
  import_conflict: '--keep leaves what was edited here, --replace overwrites it, --dry-run only reports.',
  timeout: 'Allow more time with --timeout <seconds>.',
  client_timeout: 'Look whether the server is busy: `damask doctor`.',
  run_finished: '`damask runs show <id>` has its result.',
};

function hintOf(error: DamaskError, config: Config | undefined): string | undefined {
  if (error.code === 'unauthenticated' && config) {
    const lost = isLoopback(config.url) ? ' Is every key lost? `damask owner-key` makes a new one.' : '';
    if (config.apiKey !== undefined)
      return `DAMASK_API_KEY is not a key of this server, or it was revoked or has expired.${lost}`;
    return `Set DAMASK_API_KEY, or \`damask login\`, or run as the user who started the server.${lost}`;
  }
  if (error.code === 'forbidden') return '`damask whoami` shows what the key may do.';
  if (error.retryAfter !== undefined && error.code !== 'no_model') return `Try again in ${error.retryAfter} s.`;
  if (isBroken(error)) return 'Look at `damask runs` before you try again; a very large input can be the cause.';
  // The server names the ways itself where nothing is configured; a model asked for by name lacks no provider.
  if (error.code === 'no_model' && error.pointer === '/model') return '`damask models` lists the models.';
  if (error.code === 'no_model' && error.detail.includes('damask model pull')) return undefined;
  if (error.code in hints) return hints[error.code];
  return error.runId ? `\`damask runs show ${error.runId}\` has what is known.` : undefined;
}
