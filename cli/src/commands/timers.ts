import type { TimerSummary } from '@damask/sdk';
import { collectItems } from '../collect-items.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { formatTime } from '../figures.ts';
import { printList } from '../print-list.ts';
import type { Cell } from '../table.ts';

export const timers = defineCommand({
  name: 'timers',
  usage: '[flags]',
  about: 'Lists the timers: runs that the clock starts.',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [0, 0],
  examples: [
    'damask timers',
    'damask timers set morning_news summarize --cron "0 7 * * 1-5" < news.txt',
    'damask timers show morning_news',
  ],
  async run({ flags, terminal, connect }) {
    const { damask } = await connect();
    const found = await collectItems(damask.timers.listAll());
    await printList(terminal, flags.json, found, {
      columns: [
        { title: 'TIMER', least: 10 },
        { title: 'CRON' },
        { title: 'ZONE', drop: 2 },
        { title: 'PATTERN', drop: 1, least: 10 },
        { title: 'NEXT' },
        { title: 'LAST', drop: 0 },
      ],
      row: (timer) => [
        { text: timer.name, style: 'cyan' },
        timer.cron,
        timer.time_zone,
        timer.pattern,
        timer.next_at === null ? (timer.paused ? 'paused' : 'over') : formatTime(timer.next_at),
        lastOf(timer),
      ],
      empty: 'There are no timers. Make one: damask timers set morning summarize --cron "0 7 * * 1-5" < news.txt',
    });
  },
});

function lastOf({ last }: TimerSummary): Cell {
  if (last === null) return '-';
  if (last.error !== null) return { text: last.error.code, style: 'red' };
  return `${last.state} ${formatTime(last.at)}`;
}
