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
      [
        actor.kind === 'key' ? 'Key' : actor.kind === 'member' ? 'Member' : 'Program',
        `${printable(actor.name)} (${actor.id})`,
      ],
      ['Role', actor.role],
      ['May', me.permissions.join(', ')],
      ...(me.patterns === null ? [] : [['Patterns', me.patterns.join(', ')] as const]),
      ...(me.environments === null ? [] : [['Runs in', me.environments.join(', ')] as const]),
      ...(me.teams.length === 0 ? [] : [['Teams', me.teams.join(', ')] as const]),
    ] as const;
    await terminal.print(
      facts.map(([name, value]) => `${terminal.paint('dim', name.padEnd(10))}  ${value}`).join('\n'),
    );
  },
});
