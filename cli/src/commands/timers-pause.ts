import type { Damask, TimerSummary } from '@damask/sdk';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { explainMissingName } from '../explain-missing-name.ts';
import { formatTime } from '../figures.ts';

const shared = {
  usage: '<timer> [flags]',
  flags: { ...jsonFlag, ...serverFlags },
  positionals: [1, 1],
  completes: ['timers'],
} as const;

export const timersPause = defineCommand({
  ...shared,
  name: 'timers pause',
  about: 'Lets a timer rest. Ticks until it is resumed are not made up for.',
  examples: ['damask timers pause morning_news'],
  async run({ flags, positionals, terminal, connect }) {
    const { damask } = await connect();
    const timer = await change(damask, positionals[0] ?? '', true);
    if (flags.json) return terminal.print(JSON.stringify(timer, null, 2));
    await terminal.print(`Timer ${timer.name} is paused. Go on: damask timers resume ${timer.name}`);
  },
});

export const timersResume = defineCommand({
  ...shared,
  name: 'timers resume',
  about: 'Lets a paused timer tick again, from its next time on.',
  examples: ['damask timers resume morning_news'],
  async run({ flags, positionals, terminal, connect }) {
    const { damask } = await connect();
    const timer = await change(damask, positionals[0] ?? '', false);
    if (flags.json) return terminal.print(JSON.stringify(timer, null, 2));
    await terminal.print(`Timer ${timer.name} ticks again. Next: ${formatTime(timer.next_at)}`);
  },
});

async function change(damask: Damask, name: string, paused: boolean): Promise<TimerSummary> {
  const timer = await damask.timers.read({ timer: name }).catch(async (error: unknown) => {
    throw await explainMissingName(error, { what: 'timer', name, all: damask.timers.listAll() });
  });
  const { cron, time_zone, missed, overlap, starts_at, ends_at, run } = timer;
  return damask.timers.put({
    timer: name,
    cron,
    time_zone,
    missed,
    overlap,
    paused,
    starts_at: starts_at ?? undefined,
    ends_at: ends_at ?? undefined,
    run,
  });
}
