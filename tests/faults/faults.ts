// A program: faults against real processes under load. `npm run faults -- --minutes 5 --seed 1`.
import { parseArgs } from 'node:util';
import { describeReport } from './describe-report.ts';
import { faults } from './fault-list.ts';
import { runFaults } from './run-faults.ts';

const say = (line: string) => void process.stdout.write(`${line}\n`);

const usage = `npm run faults -- [--each | --chains] [--minutes 5] [--seed 1] [--only F01,F08] [--rabbit] [--disk]
  --each     every fault once, instead of a mix by chance
  --chains   20 chains at the same time, and a process is killed every two seconds
  --rabbit   RabbitMQ carries the messages: F29 to F32
  --disk     the database has a small disk, for root: F22`;

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        each: { type: 'boolean', default: false },
        chains: { type: 'boolean', default: false },
        minutes: { type: 'string', default: '5' },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
        only: { type: 'string' },
        rabbit: { type: 'boolean', default: false },
        disk: { type: 'boolean', default: false },
      },
    });
    const unknown = values.only?.split(',').filter((id) => !faults.some((fault) => fault.id === id)) ?? [];
    if (unknown.length > 0)
      throw new Error(`There is no ${unknown[0]}. There are: ${faults.map(({ id }) => id).join(', ')}.`);
    const numbers = [values.minutes, values.seed].map(Number);
    if (!numbers.every((number) => Number.isFinite(number) && number >= 0))
      throw new Error('--minutes and --seed are numbers.');
    return values;
  } catch (error) {
    say((error as Error).message);
  }
  say(usage);
  process.exit(2);
}

const { each, chains, minutes, seed, only, rabbit, disk } = readArguments();
const mode = chains ? 'chains' : each ? 'each' : 'mix';
say(`${mode}, seed ${seed}`);
const plan = { mode, minutes: Number(minutes), seed: Number(seed), rabbit, disk, say } as const;
const report = await runFaults({ ...plan, ...(only ? { only: only.split(',') } : {}) });
say(`\n${describeReport(report)}`);
process.exitCode = report.broken.length + report.wrong.length > 0 ? 1 : 0;
