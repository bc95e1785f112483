import type { Pattern, PatternVersion, Variable } from '@damask/sdk';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { explainMissingPattern } from '../explain-missing-pattern.ts';
import { formatTime } from '../figures.ts';
import { numberFlag } from '../number-flag.ts';
import { printable, type Terminal } from '../terminal.ts';

export const show = defineCommand({
  name: 'show',
  usage: '<pattern> [flags]',
  about: 'Shows a pattern: what it is, its labels and variables, and the text of its system.md.',
  flags: {
    version: { type: 'string', value: '<number>', help: 'This version; the newest by default.' },
    text: { type: 'boolean', help: 'Only the text of system.md, byte for byte.' },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [1, 1],
  completes: ['patterns'],
  examples: ['damask show summarize', 'damask show summarize --version 2', 'damask show summarize --text > system.md'],
  async run({ flags, positionals, terminal, connect }) {
    const [name = ''] = positionals;
    const wanted = numberFlag('version', flags.version, true);
    const { damask } = await connect();
    try {
      const pattern = await damask.patterns.read({ pattern: name });
      const version = await damask.patterns.readVersion({ pattern: name, version: wanted ?? pattern.version });
      const text = version.files.find(({ path }) => path === 'system.md')?.content ?? '';
      if (flags.json) return await terminal.print(JSON.stringify({ ...pattern, shown: version }, null, 2));
      if (!flags.text) await terminal.print(describe(pattern, version, terminal));
      await terminal.result(text.endsWith('\n') || flags.text ? text : `${text}\n`);
    } catch (error) {
      throw await explainMissingPattern(damask, name, error);
    }
  },
});

function describe(pattern: Pattern, version: PatternVersion, { paint }: Terminal): string {
  const labels = Object.entries(pattern.labels).map(([label, number]) => `${label} → ${number}`);
  const origin = version.source.origin ? `${version.source.kind}, ${version.source.origin}` : version.source.kind;
  const facts: [string, string][] = [
    ['Version', `${version.version} of ${pattern.version}, ${formatTime(version.created_at)}, ${origin}`],
    ['Digest', version.digest],
    ['Message', version.message ?? ''],
    ['Labels', labels.join(', ')],
    ['Tags', version.tags.join(', ')],
    ['Model', version.model ?? ''],
    [
      'Parameters',
      Object.entries(version.parameters)
        .map(([name, value]) => `${name}=${value}`)
        .join(', '),
    ],
    ['Files', version.files.map(({ path }) => path).join(', ')],
    ['Literal', version.literal_tokens.join(' ')],
    ['Disabled', version.disabled_capabilities.join(' ')],
  ];
  const title = version.title && version.title !== pattern.name ? `  ${version.title}` : '';
  return [
    `${paint('bold', pattern.name)}${printable(title)}`,
    ...(version.description ? [printable(version.description)] : []),
    '',
    ...facts
      .filter(([, value]) => value !== '')
      .map(([name, value]) => `${paint('dim', name.padEnd(10))}  ${printable(value)}`),
    ...version.variables.map(
      (variable, i) => `${paint('dim', (i === 0 ? 'Variables' : '').padEnd(10))}  ${describeVariable(variable)}`,
    ),
    '',
    paint('dim', '--- system.md'),
  ].join('\n');
}

function describeVariable({ name, type, required, default: fallback, values, description }: Variable): string {
  const kind = values ? `one of ${values.join(', ')}` : type;
  const need = required ? 'required' : fallback === undefined ? 'optional' : `default ${JSON.stringify(fallback)}`;
  return printable(`${name} (${kind}, ${need})${description ? `: ${description}` : ''}`);
}
