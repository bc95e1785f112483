import type { ApiKey } from '@damask/sdk';
import { collectItems } from '../collect-items.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { formatTime } from '../figures.ts';
import { printList } from '../print-list.ts';
import type { Cell } from '../table.ts';

export const keys = defineCommand({
  name: 'keys',
  usage: '[flags]',
  about: 'Lists the API keys of the workspace, newest first. Their secrets are not kept, so they cannot be shown.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [0, 0],
  examples: ['damask keys', 'damask keys create --name ci --role runner', 'damask keys revoke <id>'],
  async run({ flags, terminal, connect }) {
    const { damask } = await connect();
    await printList(terminal, flags.json, await collectItems(damask.keys.listAll()), {
      columns: [
        { title: 'KEY' },
        { title: 'NAME', least: 8 },
        { title: 'ROLE' },
        { title: 'BEGINS', drop: 0 },
        { title: 'CREATED', drop: 1 },
        { title: 'LAST USED', drop: 2 },
        { title: 'STATE' },
      ],
      row: (key) => [
        key.id,
        key.name,
        key.role,
        key.prefix,
        formatTime(key.created_at),
        key.last_used_at === null ? 'never' : formatTime(key.last_used_at),
        stateOf(key),
      ],
      empty: 'There are no keys. Make one: damask keys create --name ci --role runner',
    });
  },
});

/** The same under the name that people look for. */
export const keysList = { ...keys, name: 'keys list' };

function stateOf({ revoked_at, expires_at }: ApiKey): Cell {
  if (revoked_at !== null) return { text: `revoked ${formatTime(revoked_at)}`, style: 'red' };
  if (expires_at === null) return { text: 'valid', style: 'green' };
  if (Date.parse(expires_at) <= Date.now()) return { text: `expired ${formatTime(expires_at)}`, style: 'red' };
  return { text: `until ${formatTime(expires_at)}`, style: 'green' };
}
