import { spawn, spawnSync } from 'node:child_process';
import { type CliOptions, cliEnvironment, main } from './run-cli.ts';

/** For tests that need a terminal. */
export const hasScript =
  spawnSync('script', ['--version']).status === 0 ? {} : { skip: 'needs script of util-linux to make a terminal' };

/** Runs a shell line on a terminal, types each text when what it waits for is shown, and answers what was shown. */
export function typeOnTerminal(
  line: string,
  options: CliOptions,
  dialogue: readonly (readonly [shown: string, typed: string])[],
): Promise<string> {
  const command = line.replaceAll(/^damask|(?<=[;|] )damask/g, `'${process.execPath}' '${main}'`);
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { ...cliEnvironment(options), TERM: 'xterm-256color', NO_COLOR: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
    // A question that was not expected would wait for ever.
    timeout: 30_000,
  });
  let shown = '';
  let next = 0;
  let from = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    const [wanted, typed] = dialogue[next] ?? [];
    if (wanted === undefined || typed === undefined) return;
    const at = shown.indexOf(wanted, from);
    if (at < 0) return;
    from = at + wanted.length;
    next += 1;
    child.stdin.write(typed);
  });
  return new Promise((resolve) =>
    child.on('close', () => resolve(shown.replaceAll('\r\n', '\n').replaceAll('\u001b', '^'))),
  );
}
