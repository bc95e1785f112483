import type { Invitation } from '@damask/sdk';
import { collectItems } from '../collect-items.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { formatTime } from '../figures.ts';
import { printList } from '../print-list.ts';
import type { Cell } from '../table.ts';

export const invitations = defineCommand({
  name: 'invitations',
  usage: '[flags]',
  about:
    'Lists the open invitations to the workspace, newest first. Their links are not kept, so they cannot be shown.',
  flags: {
    all: { type: 'boolean', help: 'Those too that were accepted or revoked or are over, for 90 days.' },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [0, 0],
  examples: [
    'damask invitations',
    'damask members invite ada@example.com --role author',
    'damask invitations revoke <id>',
  ],
  async run({ flags, terminal, connect }) {
    const { damask } = await connect();
    const listed = damask.invitations.listAll(flags.all ? {} : { state: 'open' });
    await printList(terminal, flags.json, await collectItems(listed), {
      columns: [
        { title: 'INVITATION' },
        { title: 'NAME', drop: 1 },
        { title: 'EMAIL', least: 8 },
        { title: 'ROLE' },
        { title: 'CREATED', drop: 0 },
        { title: 'STATE' },
      ],
      row: (one) => [one.id, one.name ?? '', one.email ?? '', one.role, formatTime(one.created_at), stateOf(one)],
      empty: `There are no ${flags.all ? '' : 'open '}invitations. Make one: damask members invite ada@example.com --role author`,
    });
  },
});

function stateOf({ state, expires_at, accepted_at, revoked_at }: Invitation): Cell {
  if (state === 'open') return { text: `open until ${formatTime(expires_at)}`, style: 'green' };
  if (state === 'accepted') return `accepted ${formatTime(accepted_at)}`;
  return { text: `${state} ${formatTime(revoked_at ?? expires_at)}`, style: 'red' };
}
