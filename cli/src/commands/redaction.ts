import type { Redaction } from '@damask/sdk';
import { defineCommand, jsonFlag, reasonFlag, serverFlags } from '../command.ts';
import { printable } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

type Kind = Redaction['kinds'][number];
const kinds = ['secret', 'card', 'email', 'phone', 'iban'] as const satisfies Kind[];

export const redaction = defineCommand({
  name: 'redaction',
  usage: '[flags]',
  about:
    'Shows what is taken out of the texts of all runs of the workspace before they are stored, or replaces it. What the\n' +
    'pattern.yaml of a pattern takes out is taken out beside it.',
  flags: {
    kind: { type: 'string', multiple: true, value: '<kind>', help: `Take this out: ${kinds.join(', ')}, or all.` },
    expression: {
      type: 'string',
      multiple: true,
      value: '<name=expression>',
      help: 'Take out what this regular expression matches; [name] stands in its place.',
    },
    model: { type: 'boolean', help: 'Keep it from the models, too.' },
    none: { type: 'boolean', help: 'Take out only what patterns say.' },
    ...jsonFlag,
    ...reasonFlag,
    ...serverFlags,
  },
  positionals: [0, 0],
  examples: [
    'damask redaction',
    'damask redaction --kind secret --kind card',
    "damask redaction --kind all --expression 'customer=K-[0-9]{7}' --model",
    'damask redaction --none',
  ],
  async run({ flags, terminal, connect }) {
    const asked = flags.kind.length + flags.expression.length > 0;
    if (asked && flags.none) throw new UsageError('--none takes everything back, so it stands alone.');
    if (flags.model && !asked) throw new UsageError('--model needs something to take out. Name it with --kind.');
    const wanted: Redaction = {
      kinds: flags.kind.includes('all') ? [...kinds] : flags.kind.map(kindOf),
      expressions: flags.expression.map(expressionOf),
      model: flags.model === true,
    };
    const { damask } = await connect();
    const now = asked || flags.none ? await damask.redaction.put(wanted) : await damask.redaction.read();
    if (flags.json) return terminal.print(JSON.stringify(now, null, 2));
    const lines = [
      ...now.kinds,
      ...now.expressions.map(({ name, expression }) => printable(`${name}  ${expression}`)),
      ...(now.model ? ['Models do not get to see it either.'] : []),
    ];
    const nothing = 'Nothing but what patterns say. Take out more: damask redaction --kind secret --kind card';
    await terminal.print(lines.length > 0 ? lines.join('\n') : nothing);
  },
});

function kindOf(text: string): Kind {
  const kind = kinds.find((one) => one === text);
  if (!kind) throw new UsageError(`--kind takes one of ${kinds.join(', ')}, or all.`);
  return kind;
}

function expressionOf(text: string): Redaction['expressions'][number] {
  const middle = text.indexOf('=');
  if (middle < 1) throw new UsageError('--expression takes name=expression, such as customer=K-[0-9]{7}.');
  return { name: text.slice(0, middle), expression: text.slice(middle + 1) };
}
