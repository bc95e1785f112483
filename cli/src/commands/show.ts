import type { Pattern, PatternVersion, Variable } from '@damask/sdk';
import { checkVersion } from '../check-version.ts';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { drawChain } from '../draw-chain.ts';
import { explainMissingPattern } from '../explain-missing-pattern.ts';
import { formatTime } from '../figures.ts';
import { numberFlag } from '../number-flag.ts';
import { mainFileOf } from '../pattern-folder.ts';
import { printable, type Terminal } from '../terminal.ts';

export const show = defineCommand({
  name: 'show',
  usage: '<pattern> [flags]',
  about:
    'Shows a pattern: what it is, its labels and variables, and the text of its system.md. Of a chain it draws the steps,\n' +
    'each with a rail to those that need it.',
  flags: {
    version: { type: 'string', value: '<number>', help: 'This version; the newest by default.' },
    text: { type: 'boolean', help: 'Only the text of system.md (of a chain: pattern.yaml), byte for byte.' },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [1, 1],
  completes: ['patterns'],
  examples: [
    'damask show summarize',
    'damask show summarize --version 2',
    'damask show summarize --text > system.md',
    'damask show digest_document',
  ],
  async run({ flags, positionals, terminal, connect }) {
    const [name = ''] = positionals;
    const wanted = numberFlag('version', flags.version, true);
    const { damask } = await connect();
    try {
      const pattern = await damask.patterns.read({ pattern: name });
      if (wanted !== undefined) checkVersion(pattern, wanted);
      const version = await damask.patterns.readVersion({ pattern: name, version: wanted ?? pattern.version });
      const main = mainFileOf(version.files);
      const text = version.files.find(({ path }) => path === main)?.content ?? '';
      if (flags.json) return await terminal.print(JSON.stringify({ ...pattern, shown: version }, null, 2));
      if (!flags.text) await terminal.print(describe(pattern, version, terminal));
      if (!flags.text && version.steps.length > 0) {
        const drawn = drawChain(version.steps, version.output.from);
        return await terminal.print(printable(drawn.join('\n')));
      }
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
    ['Deprecated', describeDeprecation(pattern)],
    [
      'Version',
      [`${version.version} of ${pattern.version}`, formatTime(version.created_at), version.author, origin]
        .filter(Boolean)
        .join(', '),
    ],
    ['Digest', version.digest],
    ['Message', version.message ?? ''],
    ['Labels', labels.join(', ')],
    ['Tags', version.tags.join(', ')],
    ['Owner', version.owner ?? ''],
    ['Model', version.models.map(({ name, weight }) => (weight === 1 ? name : `${name} (${weight})`)).join(', ')],
    ['Fallbacks', version.fallbacks.join(', ')],
    [
      'Parameters',
      Object.entries(version.parameters)
        .map(([name, value]) => `${name}=${value}`)
        .join(', '),
    ],
    ['Settings', describeSettings(version)],
    ['Includes', version.includes.map(describeInclude).join(', ')],
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
    paint('dim', version.steps.length > 0 ? '--- steps' : '--- system.md'),
  ].join('\n');
}

function describeDeprecation({ deprecated }: Pattern): string {
  if (!deprecated) return '';
  const instead = deprecated.successor === null ? '' : ` Use ${deprecated.successor} instead.`;
  return `since ${formatTime(deprecated.at)}.${deprecated.message === null ? '' : ` ${deprecated.message}`}${instead}`;
}

function describeSettings({
  output,
  limits,
  language,
  tools,
  cache,
  data_class,
  store,
  on_uncertain,
}: PatternVersion): string {
  return [
    output.type !== 'markdown' && `answers ${output.type}${output.schema ? ' by a schema' : ''}`,
    output.max_characters !== null && `at most ${output.max_characters} characters`,
    limits.input_characters !== null && `input at most ${limits.input_characters} characters`,
    limits.timeout_ms !== null && `at most ${limits.timeout_ms} ms`,
    language !== null && `in ${language}`,
    tools.length > 0 && `tools ${tools.map(({ name }) => name).join(' ')}`,
    cache !== null && `cached for ${cache.ttl_seconds} s`,
    data_class !== 'internal' && `${data_class} data`,
    store === 'none' && 'texts are not stored',
    on_uncertain !== 'fail' && `${on_uncertain} when uncertain`,
  ]
    .filter((part) => part !== false)
    .join(', ');
}

function describeInclude({ pattern, section, version, through }: PatternVersion['includes'][number]): string {
  const place = section === null ? pattern : `${pattern}#${section}`;
  return `${place} version ${version}${through.length === 0 ? '' : ` (through ${through.join(', ')})`}`;
}

function describeVariable({ name, type, required, default: fallback, values, description }: Variable): string {
  const kind = values ? `one of ${values.join(', ')}` : type;
  const need = required ? 'required' : fallback === undefined ? 'optional' : `default ${JSON.stringify(fallback)}`;
  return printable(`${name} (${kind}, ${need})${description ? `: ${description}` : ''}`);
}
