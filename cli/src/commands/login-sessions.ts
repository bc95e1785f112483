import { DamaskError } from '@damask/sdk';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { formatTime } from '../figures.ts';
import { InputError } from '../input-error.ts';
import { printList } from '../print-list.ts';

export const loginSessions = defineCommand({
  name: 'login sessions',
  usage: '[flags]',
  about:
    'Lists where you are signed in, newest first, and ends one of these login sessions. It takes a login of a person: a\n' +
    'key has no login sessions.',
  flags: {
    revoke: {
      type: 'string',
      value: '<id>',
      help: 'End this login session at once, with the streams that it holds open.',
    },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [0, 0],
  examples: ['damask login sessions', 'damask login sessions --revoke 0199a000-0000-7000-8000-000000000001'],
  async run({ flags, terminal, connect }) {
    const { damask } = await connect();
    if (flags.revoke !== undefined) {
      const id = flags.revoke;
      const ended = await damask.loginSessions.revoke({ login_session: id.toLowerCase() }).catch((error: unknown) => {
        const unknown = error instanceof DamaskError && (error.code === 'not_found' || error.pointer !== undefined);
        if (!unknown) throw error;
        throw new InputError(`You have no login session ${id}. \`damask login sessions\` lists them.`, 'notFound');
      });
      if (flags.json) return terminal.print(JSON.stringify(ended, null, 2));
      terminal.note(`Login session ${ended.id} has ended.`);
      return;
    }
    const { items } = await damask.loginSessions.list();
    await printList(terminal, flags.json, items, {
      columns: [
        { title: 'SESSION' },
        { title: 'KIND' },
        { title: 'BY' },
        { title: 'FROM', drop: 1 },
        { title: 'SINCE', drop: 0 },
        { title: 'LAST USED' },
        { title: '' },
      ],
      row: (one) => [
        one.id,
        one.kind,
        one.way,
        one.address,
        formatTime(one.created_at),
        formatTime(one.seen_at),
        one.current ? { text: 'this one', style: 'green' } : '',
      ],
      empty: 'You are signed in nowhere.',
    });
  },
});
