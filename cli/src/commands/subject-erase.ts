import { setTimeout as sleep } from 'node:timers/promises';
import { defineCommand, jsonFlag, reasonFlag, serverFlags } from '../command.ts';
import { UsageError } from '../usage-error.ts';

const lookEvery = 500;

export const subjectErase = defineCommand({
  name: 'subject erase',
  usage: '<subject> --confirm [flags]',
  about:
    'Erases what is kept about an end user and waits until a search finds nothing more. Records of runs stay without texts,\n' +
    'metadata and name. Runs of the subject are refused until it is done. This cannot be undone; export before.',
  flags: {
    confirm: { type: 'boolean', help: 'Yes, erase it.' },
    'no-wait': { type: 'boolean', help: 'Do not wait; it goes on by itself.' },
    ...jsonFlag,
    ...reasonFlag,
    ...serverFlags,
  },
  positionals: [1, 1],
  examples: ['damask subject export ada@example.org -o ada.jsonl', 'damask subject erase ada@example.org --confirm'],
  async run({ flags, positionals, terminal, connect }) {
    if (flags.confirm !== true) throw new UsageError('This cannot be undone. Add --confirm to erase.');
    const { damask } = await connect();
    let erasure = await damask.subjects.erase({ subject: positionals[0] ?? '' });
    while (erasure.state === 'running' && flags['no-wait'] !== true) {
      await sleep(lookEvery);
      erasure = await damask.subjects.erasure({ erasure: erasure.id });
    }
    if (flags.json) return terminal.print(JSON.stringify(erasure, null, 2));
    const counts = Object.entries({ ...erasure.removed, cancelled: erasure.cancelled });
    const told = counts.filter(([, count]) => count > 0).map(([name, count]) => `${name.replace('_', ' ')} ${count}`);
    await terminal.print(`${erasure.id} ${erasure.state}${told.length > 0 ? `: ${told.join(', ')}` : ''}`);
    if (erasure.state === 'running') terminal.note('It goes on by itself: damask subject erasures');
    if (erasure.state === 'held') terminal.note(`The legal hold ${erasure.hold ?? ''} keeps the rest.`);
  },
});
