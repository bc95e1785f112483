import type { CheckEgressInput } from '@damask/sdk';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { printable } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

type Surface = NonNullable<CheckEgressInput['surface']>;

const surfaces: readonly Surface[] = ['provider', 'identity_provider', 'import'];
const styles = { allowed: 'green', denied: 'red', unknown: 'yellow' } as const;

export const egressCheck = defineCommand({
  name: 'egress check',
  usage: '<url> [flags]',
  about:
    'Tells whether the server would call an address, and why not. Its name is resolved, and nothing is sent there. Each\n' +
    'real call is judged again, with every redirect. The exit code is 0 when it is allowed, else 1.',
  flags: {
    surface: { type: 'string', value: '<surface>', help: `${surfaces.join(', ')}; provider by default.` },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [1, 1],
  examples: [
    'damask egress check http://127.0.0.1:11434',
    'damask egress check https://git.example.com/a.git --surface import',
  ],
  async run({ flags, positionals, terminal, connect }) {
    const surface = surfaces.find((name) => name === (flags.surface ?? 'provider'));
    if (!surface) throw new UsageError(`--surface takes ${surfaces.join(', ')}, not '${flags.surface}'.`);
    const { damask } = await connect();
    const told = await damask.egress.check({ url: positionals[0] ?? '', surface });
    if (flags.json) await terminal.print(JSON.stringify(told, null, 2));
    else {
      const reason = told.reason === null ? '' : `  ${printable(told.reason)}`;
      await terminal.print(`${terminal.paint(styles[told.verdict], told.verdict)}${reason}`);
    }
    return told.verdict === 'allowed' ? exitCodes.ok.code : exitCodes.failed.code;
  },
});
