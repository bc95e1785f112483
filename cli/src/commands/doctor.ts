import { defineCommand, jsonFlag } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { type Check, runChecks } from '../run-checks.ts';
import { printable, type Style } from '../terminal.ts';

const styles: Readonly<Record<Check['state'], Style>> = { ok: 'green', warn: 'yellow', fail: 'red' };

export const doctor = defineCommand({
  name: 'doctor',
  usage: '[flags]',
  about:
    'Checks Node, the server, the key, the credentials file, the data folder and the models. Each line is ok, warn or\n' +
    'fail with the way out. It starts and changes nothing. The exit code is 0 when nothing failed, 3 when no server\n' +
    'answers, 4 when the key is refused, else 1.',
  flags: { ...jsonFlag },
  positionals: [0, 0],
  examples: ['damask doctor'],
  async run({ flags, config, terminal }) {
    const checks = await runChecks(config);
    if (flags.json) await terminal.print(JSON.stringify(checks, null, 2));
    else {
      const width = Math.max(...checks.map(({ name }) => name.length));
      const lines = checks.flatMap(({ state, name, detail, remedy }) => [
        `${terminal.paint(styles[state], state.padEnd(4))}  ${name.padEnd(width)}  ${printable(detail)}`,
        ...(remedy ? [`      ${' '.repeat(width)}  → ${printable(remedy)}`] : []),
      ]);
      await terminal.print(lines.join('\n'));
    }
    const failed = checks.filter(({ state }) => state === 'fail').map(({ name }) => name);
    if (failed.includes('server')) return exitCodes.unreachable.code;
    if (failed.includes('key')) return exitCodes.refused.code;
    return failed.length > 0 ? exitCodes.failed.code : exitCodes.ok.code;
  },
});
