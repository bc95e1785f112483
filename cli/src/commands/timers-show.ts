import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { explainMissingName } from '../explain-missing-name.ts';
import { formatNumber, formatTime } from '../figures.ts';
import { printList } from '../print-list.ts';

/** Ticks that are shown. */
const shown = 20;

export const timersShow = defineCommand({
  name: 'timers show',
  usage: '<timer> [flags]',
  about: `Shows a timer, what it starts, and its last ${shown} ticks with their runs.`,
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [1, 1],
  completes: ['timers'],
  examples: ['damask timers show morning_news'],
  async run({ flags, positionals, terminal, connect }) {
    const [name = ''] = positionals;
    const { damask } = await connect();
    const timer = await damask.timers.read({ timer: name }).catch(async (error: unknown) => {
      throw await explainMissingName(error, { what: 'timer', name, all: damask.timers.listAll() });
    });
    const { items: ticks } = await damask.timers.ticks({ timer: name, limit: shown });
    if (flags.json) return terminal.print(JSON.stringify({ ...timer, ticks }, null, 2));
    const { run, missed, overlap } = timer;
    const next = timer.next_at === null ? (timer.paused ? 'paused' : 'over') : formatTime(timer.next_at);
    await terminal.print(`${timer.name}  ${timer.cron} in ${timer.time_zone}; next: ${next}`);
    const what = run.items ? formatNumber(run.items.length, 'line') : formatNumber(run.input?.length ?? 0, 'character');
    await terminal.print(`Runs ${run.pattern} on ${what}. Missed: ${missed}; overlap: ${overlap}.`);
    await printList(terminal, false, ticks, {
      columns: [{ title: 'TICK' }, { title: 'STATE' }, { title: 'RUN' }, { title: 'WHY', drop: 0, least: 20 }],
      row: ({ at, state, run: id, batch, error }) => [
        formatTime(at),
        state === 'failed' ? { text: state, style: 'red' } : state,
        id ?? (batch ? `batch ${batch}` : '-'),
        error?.detail ?? '',
      ],
      empty: 'It has not ticked yet.',
    });
  },
});
