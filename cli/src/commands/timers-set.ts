import type { PutTimerInput } from '@damask/sdk';
import { defineCommand, jsonFlag, reasonFlag, serverFlags } from '../command.ts';
import { explainMissingPattern } from '../explain-missing-pattern.ts';
import { formatTime } from '../figures.ts';
import { InputError } from '../input-error.ts';
import { parseMetadata, parseVariables } from '../key-values.ts';
import { numberFlag } from '../number-flag.ts';
import { readInput } from '../read-input.ts';
import { readTextFile } from '../read-text-file.ts';
import { choiceFlags } from '../run-flags.ts';
import { UsageError } from '../usage-error.ts';

const { variable, context, strategy, language, label, environment, metadata } = choiceFlags;

export const timersSet = defineCommand({
  name: 'timers set',
  usage: '<timer> <pattern> --cron <cron> [flags] < input',
  about:
    'Makes a timer, or replaces the one of this name: at each tick a run of the pattern is queued. The input comes from the\n' +
    'standard input. What is wrong with the run is told now, not at the first tick.',
  flags: {
    cron: { type: 'string', value: '<cron>', help: 'Minute, hour, day, month, day of the week; or @hourly, @daily.' },
    'time-zone': { type: 'string', value: '<zone>', help: "Such as Europe/Berlin; this machine's own by default." },
    missed: { type: 'string', value: '<policy>', help: 'Ticks that nobody could fire: skip, last (default) or all.' },
    overlap: { type: 'string', value: '<policy>', help: 'While the run before is open: allow (default) or skip.' },
    starts: { type: 'string', value: '<time>', help: 'No tick before this time, such as 2026-12-01T00:00:00Z.' },
    ends: { type: 'string', value: '<time>', help: 'No tick after this time.' },
    paused: { type: 'boolean', help: 'Do not tick until `damask timers resume`.' },
    variable,
    model: {
      type: 'string',
      short: 'm',
      value: '<provider/model>',
      completes: 'models',
      help: 'The model; `damask models` lists them.',
    },
    context,
    strategy,
    language,
    label,
    environment,
    'pattern-version': choiceFlags['pattern-version'],
    metadata,
    items: {
      type: 'string',
      value: '<file>',
      completes: 'files',
      help: 'Start a batch of the lines of this JSONL file instead, 1,000 at most.',
    },
    ...jsonFlag,
    ...reasonFlag,
    ...serverFlags,
  },
  positionals: [2, 2],
  completes: ['timers', 'patterns'],
  examples: [
    'damask timers set morning_news summarize --cron "0 7 * * 1-5" --time-zone Europe/Berlin < news.txt',
    'damask timers set month_end write_report --cron "0 18 L * *" --missed all < figures.md',
  ],
  async run({ flags, positionals, terminal, connect }) {
    const [timer = '', pattern = ''] = positionals;
    if (flags.cron === undefined) {
      throw new UsageError(`When? For example: damask timers set ${timer} ${pattern} --cron "0 7 * * 1-5"`);
    }
    const items = flags.items === undefined ? undefined : readItems(flags.items);
    const input = items ? undefined : await readInput([], terminal);
    if (input === undefined && !items) throw new InputError('Where is the input? For example: < news.txt');
    const variables = parseVariables(flags.variable);
    const notes = parseMetadata(flags.metadata);
    const { damask } = await connect();
    const put: PutTimerInput = {
      timer,
      cron: flags.cron,
      time_zone: flags['time-zone'] ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
      missed: oneOf('missed', flags.missed, ['skip', 'last', 'all']),
      overlap: oneOf('overlap', flags.overlap, ['allow', 'skip']),
      paused: flags.paused,
      starts_at: flags.starts,
      ends_at: flags.ends,
      run: {
        pattern,
        input,
        items,
        variables: Object.keys(variables).length > 0 ? variables : undefined,
        version: numberFlag('pattern-version', flags['pattern-version'], true),
        label: flags.label,
        environment: flags.environment,
        strategy: flags.strategy,
        context: flags.context,
        language: flags.language,
        model: flags.model,
        metadata: Object.keys(notes).length > 0 ? notes : undefined,
      },
    };
    const made = await damask.timers.put(put).catch(async (error: unknown) => {
      throw await explainMissingPattern(damask, pattern, error);
    });
    if (flags.json) return terminal.print(JSON.stringify(made, null, 2));
    const next = made.next_at === null ? 'It is paused.' : `First tick: ${formatTime(made.next_at)} here.`;
    await terminal.print(`Timer ${made.name}: ${made.cron} in ${made.time_zone}. ${next}`);
  },
});

function readItems(path: string): NonNullable<PutTimerInput['run']['items']> {
  const text = readTextFile(path);
  if (text === undefined) throw new InputError(`There is no file ${path}.`, 'notFound');
  const lines = text.split('\n');
  return lines.flatMap((line, at) => {
    if (line.trim() === '') return [];
    try {
      return [JSON.parse(line)];
    } catch {
      throw new InputError(`Line ${at + 1} of ${path} is not JSON. Each line is {"input": "..."}.`);
    }
  });
}

function oneOf<Word extends string>(flag: string, given: string | undefined, words: readonly Word[]): Word | undefined {
  const found = words.find((word) => word === given);
  if (given !== undefined && found === undefined) {
    throw new UsageError(`--${flag} is one of ${words.join(', ')}, not '${given}'.`);
  }
  return found;
}
