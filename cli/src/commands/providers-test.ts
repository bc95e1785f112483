import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { explainMissingProvider } from '../explain-missing-provider.ts';
import { formatCost, formatDuration } from '../figures.ts';
import { printable } from '../terminal.ts';

export const providersTest = defineCommand({
  name: 'providers test',
  usage: '<name> [flags]',
  about:
    'Calls a provider once with a few tokens, and asks what it has. Tells how long it took, or what failed and what to\n' +
    'do. The exit code is 0 when it answered, else 1.',
  flags: {
    model: { type: 'string', short: 'm', value: '<id>', help: 'The model to call; its first one by default.' },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [1, 1],
  examples: ['damask providers test anthropic', 'damask providers test lab --model big'],
  async run({ flags, positionals, terminal, connect }) {
    const { damask } = await connect();
    const provider = positionals[0] ?? '';
    const model = flags.model === undefined ? {} : { model: bare(flags.model, provider) };
    const told = await damask.providers.test({ provider, ...model }).catch(async (error: unknown) => {
      throw await explainMissingProvider(damask, provider, error);
    });
    const code = told.ok ? exitCodes.ok.code : exitCodes.failed.code;
    if (flags.json) {
      await terminal.print(JSON.stringify(told, null, 2));
      return code;
    }
    if (told.error) {
      terminal.note(
        `${terminal.paintNote('red', 'failed')}  ${told.model ?? provider}: ${printable(told.error.detail)}`,
      );
      return code;
    }
    const listed = told.offered === null ? '' : `, lists ${told.offered} models`;
    await terminal.print(
      `${terminal.paint('green', 'ok')}  ${told.model} answered in ${formatDuration(told.latency_ms)} for ${formatCost(told.cost_micros)}${listed}`,
    );
    return code;
  },
});

/** People write the whole name, as for `run`. */
const bare = (model: string, provider: string) =>
  model.startsWith(`${provider}/`) ? model.slice(provider.length + 1) : model;
