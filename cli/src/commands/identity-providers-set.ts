import type { IdentityProvider, PutIdentityProviderInput } from '@damask/sdk';
import { collectItems } from '../collect-items.ts';
import { defineCommand, jsonFlag, reasonFlag, serverFlags } from '../command.ts';
import { readSecret } from '../read-secret.ts';
import { isRole, roleNames } from '../role-names.ts';
import { UsageError } from '../usage-error.ts';

const algorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'] as const;

export const identityProvidersSet = defineCommand({
  name: 'identity-providers set',
  usage: '<name> [flags]',
  about:
    'Adds an identity provider (OpenID Connect) that people sign in by, or changes what the flags name of one. The client\n' +
    'secret is asked for, unseen. Who is in several groups has the role of the first one that is named.',
  flags: {
    issuer: { type: 'string', value: '<address>', help: 'As it names itself in its tokens.' },
    'client-id': { type: 'string', value: '<id>', help: 'What the provider calls this server.' },
    'secret-env': {
      type: 'string',
      value: '<variable>',
      help: 'Take the client secret from this environment variable.',
    },
    'secret-stdin': { type: 'boolean', help: 'Take the client secret from the standard input.' },
    'no-secret': { type: 'boolean', help: 'It needs none, or keeps the one that it has; do not ask.' },
    scope: { type: 'string', multiple: true, value: '<scope>', help: 'Asked for beside openid. May be repeated.' },
    'groups-claim': {
      type: 'string',
      value: '<claim>',
      help: 'Where its tokens name the groups, such as realm_access.roles.',
    },
    group: {
      type: 'string',
      multiple: true,
      value: '<group=role>',
      help: `Role of the people of a group: ${roleNames}. May be repeated, in the order in which they count.`,
    },
    'default-role': { type: 'string', value: '<role>', help: 'For people in none of the groups; none keeps them out.' },
    domain: {
      type: 'string',
      multiple: true,
      value: '<domain>',
      help: 'Of the addresses of its people. May be repeated.',
    },
    'sso-only': { type: 'string', value: '<yes|no>', help: 'Whether people of these domains sign in by it only.' },
    algorithm: { type: 'string', value: '<name>', help: `The one that signs its tokens: ${algorithms.join(', ')}.` },
    audience: { type: 'string', value: '<text>', help: 'What tokens of programs are made out to; none takes none.' },
    machine: {
      type: 'string',
      multiple: true,
      value: '<client=account>',
      help: 'A program with tokens of its own, and the service account as which it acts. May be repeated.',
    },
    ...jsonFlag,
    ...reasonFlag,
    ...serverFlags,
  },
  positionals: [1, 1],
  examples: [
    'damask identity-providers set corp --issuer https://login.example.com --client-id damask --scope email --scope groups --group staff=author --group admins=admin',
    'damask identity-providers set corp --domain example.com --sso-only yes',
    'damask identity-providers set corp --audience https://damask.example.com --machine nightly-jobs=nightly',
  ],
  async run({ flags, positionals, terminal, connect }) {
    const [name = ''] = positionals;
    const changes = readChanges(flags);
    const { damask } = await connect();
    const before = (await collectItems(damask.identityProviders.listAll())).find((one) => one.name === name);
    const issuer = flags.issuer ?? before?.issuer;
    const client_id = flags['client-id'] ?? before?.client_id;
    if (issuer === undefined || client_id === undefined) {
      throw new UsageError(
        `Where is it, and what does it call this server? For example: damask identity-providers set ${name} --issuer https://login.example.com --client-id damask`,
      );
    }
    const client_secret = await readSecret(terminal, {
      what: 'secret',
      env: flags['secret-env'],
      stdin: flags['secret-stdin'],
      none: flags['no-secret'],
      known: before !== undefined,
      kept: before?.has_secret ?? false,
    });
    const provider = await damask.identityProviders.put({
      identity_provider: name,
      issuer,
      client_id,
      ...(client_secret === undefined ? {} : { client_secret }),
      ...changes,
    });
    if (flags.json) return terminal.print(JSON.stringify(provider, null, 2));
    await terminal.print(`People sign in by ${provider.name} at ${provider.login_url ?? 'no address yet'}.`);
    for (const line of whatIsMissing(provider)) terminal.note(line);
  },
});

type Flags = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
type Changes = Omit<PutIdentityProviderInput, 'identity_provider' | 'issuer' | 'client_id' | 'client_secret'>;

function readChanges(flags: Flags): Changes {
  const list = (name: string) => (flags[name] as readonly string[] | undefined) ?? [];
  const text = (name: string) => flags[name] as string | undefined;
  const orNull = (value: string) => (value === 'none' ? null : value);
  const role = (value: string) => {
    if (isRole(value)) return value as IdentityProvider['roles'][number]['role'];
    throw new UsageError(`'${value}' is no role. Give one of ${roleNames}.`);
  };
  const [claim, fallback, only, signed, audience] = [
    text('groups-claim'),
    text('default-role'),
    text('sso-only'),
    text('algorithm'),
    text('audience'),
  ];
  const algorithm = algorithms.find((one) => one === signed);
  if (signed !== undefined && !algorithm) {
    throw new UsageError(`--algorithm is one of ${algorithms.join(', ')}, not '${signed}'.`);
  }
  if (only !== undefined && only !== 'yes' && only !== 'no') throw new UsageError('--sso-only is yes or no.');
  const roles = list('group').map((pair) => {
    const [group, given] = split(pair, '--group admins=admin');
    return { group, role: role(given) };
  });
  const machines = list('machine').map((pair) => {
    const [client, service_account] = split(pair, '--machine client=service-account');
    return { client, service_account };
  });
  return {
    ...(list('scope').length > 0 ? { scopes: [...list('scope')] } : {}),
    ...(claim === undefined ? {} : { groups_claim: claim }),
    ...(roles.length > 0 ? { roles } : {}),
    ...(fallback === undefined ? {} : { default_role: fallback === 'none' ? null : role(fallback) }),
    ...(list('domain').length > 0 ? { email_domains: [...list('domain')] } : {}),
    ...(only === undefined ? {} : { sso_only: only === 'yes' }),
    ...(algorithm ? { algorithm } : {}),
    ...(audience === undefined ? {} : { audience: orNull(audience) }),
    ...(machines.length > 0 ? { machines } : {}),
  };
}

/** At the last sign: names of groups may hold one themselves. */
function split(pair: string, usage: string): [string, string] {
  const at = pair.lastIndexOf('=');
  if (at < 1 || at === pair.length - 1) throw new UsageError(`'${pair}' is not of the form ${usage}.`);
  return [pair.slice(0, at), pair.slice(at + 1)];
}

function whatIsMissing({ redirect_uri, roles, default_role }: IdentityProvider): string[] {
  return [
    redirect_uri === null
      ? 'The server does not know how people reach it: start it with DAMASK_PUBLIC_URL.'
      : `Enter this at the provider as the redirect address: ${redirect_uri}`,
    ...(roles.length === 0 && default_role === null
      ? ['Nobody gets in yet: say --group <group=role> or --default-role <role>.']
      : []),
  ];
}
