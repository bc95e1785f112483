import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { printable } from '../terminal.ts';

export const whoami = defineCommand({
  name: 'whoami',
  usage: '[flags]',
  about: 'Shows the server, the workspace and the key in use, and what it may do.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [0, 0],
  examples: ['damask whoami'],
  async run({ flags, config, terminal, connect }) {
    const { damask } = await connect();
    const me = await damask.me();
    if (flags.json) return terminal.print(JSON.stringify(me, null, 2));
    const { actor, workspace } = me;
    const facts = [
      ['Server', config.url],
      ['Workspace', `${printable(workspace.name)} (${workspace.id})`],
      ['Key', `${printable(actor.name)} (${actor.id})`],
      ['Role', actor.role],
      ['May', me.permissions.join(', ')],
    ] as const;
    await terminal.print(
      facts.map(([name, value]) => `${terminal.paint('dim', name.padEnd(10))}  ${value}`).join('\n'),
    );
  },
});
