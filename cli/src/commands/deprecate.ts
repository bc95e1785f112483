import { DamaskError } from '@damask/sdk';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { explainMissingPattern } from '../explain-missing-pattern.ts';
import { InputError } from '../input-error.ts';
import { UsageError } from '../usage-error.ts';

export const deprecate = defineCommand({
  name: 'deprecate',
  usage: '<pattern> [flags]',
  about:
    'Says that a pattern should not be used any more, and what to use instead. Runs of it go on and tell their user.',
  flags: {
    successor: { type: 'string', value: '<pattern>', completes: 'patterns', help: 'The pattern to use instead.' },
    message: { type: 'string', value: '<text>', help: 'Why.' },
    undo: { type: 'boolean', help: 'Take it back.' },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [1, 1],
  completes: ['patterns'],
  examples: ['damask deprecate summarize_old --successor summarize', 'damask deprecate summarize_old --undo'],
  async run({ flags, positionals, terminal, connect }) {
    const [pattern = ''] = positionals;
    if (flags.undo && (flags.successor ?? flags.message) !== undefined) {
      throw new UsageError('--undo stands alone: damask deprecate <pattern> --undo');
    }
    const { damask } = await connect();
    const { successor, message } = flags;
    const call = flags.undo
      ? damask.patterns.liftDeprecation({ pattern })
      : damask.patterns.deprecate({ pattern, successor, message });
    const changed = await call.catch(async (error: unknown) => {
      const explained = await explainMissingPattern(damask, pattern, error);
      if (!flags.undo || explained !== error) throw explained;
      if (error instanceof DamaskError && error.code === 'not_found')
        throw new InputError(`${pattern} is not deprecated, so there is nothing to take back.`, 'notFound');
      throw error;
    });
    if (flags.json) return terminal.print(JSON.stringify(changed, null, 2));
    terminal.note(flags.undo ? `${pattern} is no longer deprecated.` : `${pattern} is deprecated; runs of it go on.`);
  },
});
