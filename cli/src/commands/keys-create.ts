import type { RoleName } from '@damask/sdk';
import { defineCommand, jsonFlag, serverFlags } from '../command.ts';
import { UsageError } from '../usage-error.ts';

const roles = ['viewer', 'runner', 'author', 'operator', 'admin', 'owner'] as const satisfies RoleName[];

export const keysCreate = defineCommand({
  name: 'keys create',
  usage: '--name <name> --role <role> [flags]',
  about: 'Makes an API key and prints it once, alone on stdout. You can give only roles that your own key covers.',
  flags: {
    name: { type: 'string', value: '<name>', help: 'What the key is for.' },
    role: { type: 'string', value: '<role>', help: `One of ${roles.join(', ')}.` },
    expires: { type: 'string', value: '<date>', help: 'When it stops working, such as 2027-06-30.' },
    ...jsonFlag,
    ...serverFlags,
  },
  positionals: [0, 0],
  examples: ['damask keys create --name ci --role runner --expires 2027-06-30'],
  async run({ flags, terminal, connect }) {
    const role = roles.find((one) => one === flags.role);
    if (!flags.name || !role) throw new UsageError(whatIsMissing(flags.name, flags.role));
    const { damask } = await connect();
    const key = await damask.keys.create({ name: flags.name, role, expires_at: expiryOf(flags.expires) });
    if (flags.json) return terminal.print(JSON.stringify(key, null, 2));
    terminal.note(`Key ${key.id} (${key.name}, ${key.role}). It is shown this once: keep it now.`);
    await terminal.print(key.key);
  },
});

function whatIsMissing(name: string | undefined, role: string | undefined): string {
  const example = `For example: damask keys create --name ${name || 'ci'} --role runner`;
  if (role !== undefined && !roles.some((one) => one === role))
    return `There is no role '${role}'. Roles are ${roles.join(', ')}. ${example}`;
  const missing = [...(name ? [] : ['--name']), ...(role ? [] : ['--role'])].join(' and ');
  return `'damask keys create' needs ${missing}. Roles are ${roles.join(', ')}. ${example}`;
}

function expiryOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) throw new UsageError(`--expires takes a date such as 2027-06-30, not '${text}'.`);
  return at.toISOString();
}
