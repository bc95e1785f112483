import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { printQueued } from '../queue-run.ts';
import { queueFlags, scheduleOf } from '../run-flags.ts';
import { runIdOf } from '../run-id.ts';
import { UsageError } from '../usage-error.ts';

const { at, deadline, bulk } = queueFlags;

export const retry = defineCommand({
  name: 'retry',
  usage: '<id>|last ... [flags]',
  about:
    'Queues what failed or cancelled runs were to run, once more and as new runs: the same versions on the same inputs.\n' +
    'Prints the new ids. --dead takes all runs that were given up and not retried yet.',
  flags: {
    dead: { type: 'boolean', help: 'All runs that were given up.' },
    at: { ...at, help: 'Not before this date, or in 10m, 2h.' },
    deadline: { ...deadline, help: 'Ended by this date, or within 10m, 2h, or failed.' },
    bulk: { ...bulk, help: 'Let interactive runs go first.' },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [0, Number.POSITIVE_INFINITY],
  examples: ['damask retry last', 'damask retry --dead'],
  async run({ flags, positionals, terminal, connect }) {
    if ((flags.dead === true) === positionals.length > 0)
      throw new UsageError('Name the runs to retry, or say --dead.');
    const { damask } = await connect();
    const runs: string[] = [];
    for (const name of positionals) runs.push(await runIdOf(damask, name));
    if (flags.dead) {
      for await (const { id } of damask.runs.listAll({ dead: true })) {
        const { items } = await damask.runs.list({ rerun_of: id, limit: 1 });
        if (items.length === 0) runs.push(id);
      }
    }
    for (const run of runs) {
      await printQueued(terminal, flags.json === true, await damask.runs.retry({ run, ...scheduleOf(flags) }));
    }
    if (runs.length === 0) terminal.note('No run was given up that was not retried since.');
  },
});
