import type { PutRetentionInput } from '@damask/sdk';
import { defineCommand, jsonFlag, reasonFlag, serverFlags } from '../command.ts';
import { numberFlag } from '../number-flag.ts';
import { UsageError } from '../usage-error.ts';

type Rule = PutRetentionInput['rules'][number];

const things = ['runs', 'records', 'batches', 'sessions', 'timer_ticks'] as const;
const classes = ['public', 'internal', 'confidential', 'personal'] as const;

export const retentionSet = defineCommand({
  name: 'retention set',
  usage: '[runs|records|batches|sessions|timer_ticks] --days <count> [flags]',
  about:
    'Sets how long something is kept, for all classes and environments or for those that are named. runs are the texts of\n' +
    'runs, records the runs as a whole. What is over is removed soon afterwards, and cannot be brought back.',
  flags: {
    days: { type: 'string', value: '<count>', help: 'Whole days since it was accepted.' },
    forever: { type: 'boolean', help: 'Removes the rule for exactly this.' },
    class: { type: 'string', value: '<class>', help: 'Only public, internal, confidential or personal ones.' },
    environment: { type: 'string', value: '<name>', help: 'Only those of this environment.' },
    'least-class': { type: 'string', value: '<class>', help: 'Gives each run of the workspace at least this class.' },
    ...jsonFlag,
    ...reasonFlag,
    ...serverFlags,
  },
  positionals: [0, 1],
  examples: [
    'damask retention set runs --class personal --days 30',
    'damask retention set runs --class personal --environment production --days 7',
    'damask retention set records --forever',
    'damask retention set --least-class confidential',
  ],
  async run({ flags, positionals, terminal, connect }) {
    const [named] = positionals;
    const least = flags['least-class'];
    const days = numberFlag('days', flags.days, true);
    if (named === undefined && least === undefined) {
      throw new UsageError('What? For example: damask retention set runs --class personal --days 30');
    }
    if (named !== undefined && (days === undefined) === (flags.forever !== true)) {
      throw new UsageError('Say either --days or --forever.');
    }
    const key = {
      of: named === undefined ? undefined : oneOf(things, named),
      data_class: flags.class === undefined ? undefined : oneOf(classes, flags.class),
      environment: flags.environment,
    };
    const { damask } = await connect();
    const before = await damask.retention.read();
    const rules = before.rules.filter((rule) => !isSame(rule, key));
    const { of, data_class, environment } = key;
    if (of !== undefined && days !== undefined) {
      rules.push({
        of,
        days,
        ...(data_class === undefined ? {} : { data_class }),
        ...(environment === undefined ? {} : { environment }),
      });
    }
    const least_class = least === undefined ? before.least_class : oneOf(classes, least);
    const after = await damask.retention.put({ least_class, rules });
    if (flags.json) return terminal.print(JSON.stringify(after, null, 2));
    terminal.note(
      `${after.rules.length} ${after.rules.length === 1 ? 'rule' : 'rules'}. \`damask retention\` shows them.`,
    );
  },
});

function isSame(
  rule: Rule,
  key: { of: string | undefined; data_class: string | undefined; environment: string | undefined },
) {
  return rule.of === key.of && rule.data_class === key.data_class && rule.environment === key.environment;
}

function oneOf<Name extends string>(names: readonly Name[], given: string): Name {
  const found = names.find((name) => name === given);
  if (found === undefined) throw new UsageError(`'${given}' is none of ${names.join(', ')}.`);
  return found;
}
