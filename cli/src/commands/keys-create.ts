import type { CreateKeyInput } from '@damask/sdk';
import { defineCommand, jsonFlag, reasonFlag, serverFlags } from '../command.ts';
import { numberFlag } from '../number-flag.ts';
import { isRole, roleNames } from '../role-names.ts';
import { UsageError } from '../usage-error.ts';

export const keysCreate = defineCommand({
  name: 'keys create',
  usage: '--name <name> --role <role> [flags]',
  about:
    'Makes an API key and prints it once, alone on stdout. It holds no more than you do. The key of a member ends with the\n' +
    'membership, that of a service account with the account. What a flag does not narrow is as wide as the role.',
  flags: {
    name: { type: 'string', value: '<name>', help: 'What the key is for.' },
    role: { type: 'string', value: '<role>', help: `One of ${roleNames}.` },
    expires: { type: 'string', value: '<date>', help: 'When it stops working, such as 2027-06-30.' },
    scope: {
      type: 'string',
      multiple: true,
      value: '<permission>',
      help: 'Only this of what the role holds; repeatable.',
    },
    pattern: {
      type: 'string',
      multiple: true,
      value: '<pattern>',
      completes: 'patterns',
      help: 'Reaches only this pattern; repeatable.',
    },
    environment: {
      type: 'string',
      multiple: true,
      value: '<name>',
      help: 'Runs only in this environment; repeatable.',
    },
    'per-minute': { type: 'string', value: '<count>', help: 'Requests that it may send in a minute.' },
    'service-account': { type: 'string', value: '<name>', help: 'Makes it a key of this service account.' },
    ...jsonFlag,
    ...reasonFlag,
    ...serverFlags,
  },
  positionals: [0, 0],
  examples: [
    'damask keys create --name ci --role runner --expires 2027-06-30',
    'damask keys create --name mailer --role runner --pattern write_mail --per-minute 60',
  ],
  async run({ flags, terminal, connect }) {
    const { name, role } = flags;
    if (!name || !isRole(role)) throw new UsageError(whatIsMissing(name, role));
    const { damask } = await connect();
    const key = await damask.keys.create({
      name,
      role,
      expires_at: expiryOf(flags.expires),
      scopes: some(flags.scope) as CreateKeyInput['scopes'],
      patterns: some(flags.pattern),
      environments: some(flags.environment),
      requests_per_minute: numberFlag('per-minute', flags['per-minute'], true),
      service_account: flags['service-account'],
    });
    if (flags.json) return terminal.print(JSON.stringify(key, null, 2));
    terminal.note(`Key ${key.id} (${key.name}, ${key.role}). It is shown this once: keep it now.`);
    await terminal.print(key.key);
  },
});

function whatIsMissing(name: string | undefined, role: string | undefined): string {
  const example = `For example: damask keys create --name ${name || 'ci'} --role runner`;
  if (role !== undefined && !isRole(role)) return `There is no role '${role}'. Roles are ${roleNames}. ${example}`;
  const missing = [...(name ? [] : ['--name']), ...(role ? [] : ['--role'])].join(' and ');
  return `'damask keys create' needs ${missing}. Roles are ${roleNames}. ${example}`;
}

const some = (list: readonly string[] | undefined) => (list === undefined || list.length === 0 ? undefined : [...list]);

function expiryOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) throw new UsageError(`--expires takes a date such as 2027-06-30, not '${text}'.`);
  return at.toISOString();
}
