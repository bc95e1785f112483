import type { IdentityProvider, identityProviderOperations } from '@damask/contracts/identity-provider.ts';
import type { InputOf } from '@damask/contracts/operation.ts';
import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { bumpTopic } from '#platform/topic.ts';
import { type IdentityParts, membersTopic, providersTopic } from '../identity-parts.ts';
import { checkRolePassedOn, requireAsHigh, requireWholeReach } from '../role/pass-on-role.ts';
import { findServiceAccount } from '../service-account/service-account-store.ts';
import { describeProvider, secretPlace } from './describe-provider.ts';
import { countProviders, findProvider, type ProviderRow, saveProvider } from './provider-store.ts';
import { readIssuer } from './read-issuer.ts';

type PutIdentityProvider = typeof identityProviderOperations.putIdentityProvider;

const mostProviders = 50;
const standard: Pick<
  ProviderRow,
  | 'algorithm'
  | 'scopes'
  | 'groups_claim'
  | 'roles'
  | 'default_role'
  | 'email_domains'
  | 'sso_only'
  | 'audience'
  | 'machines'
> = {
  algorithm: 'RS256',
  scopes: ['email', 'profile'],
  groups_claim: 'groups',
  roles: [],
  default_role: null,
  email_domains: [],
  sso_only: false,
  audience: null,
  machines: [],
};

/** Adds a provider, or changes what the input names of it. */
export async function putIdentityProvider(
  parts: IdentityParts,
  context: CallContext,
  input: InputOf<PutIdentityProvider>,
): Promise<IdentityProvider> {
  const { database, vault, clock, trail, egress, publicUrl } = parts;
  const { identity_provider: name, client_secret: secret, ...given } = input;
  const { workspace } = context;
  const issuer = readIssuer(given.issuer);
  egress.check(issuer, '/issuer');
  checkSecret(secret);
  await vault.ready(workspace);
  return database.transaction({ role: 'identity', workspace }, async (transaction) => {
    const before = await findProvider(transaction, name);
    if (!before && (await countProviders(transaction, mostProviders)) >= mostProviders) throw tooMany();
    const id = before?.id ?? clock.uuid();
    // A secret must never be sent to a new address by someone who does not know it.
    if (before?.client_secret && secret === undefined && before.issuer !== issuer) throw secretMoved();
    const sealed = secret === undefined ? null : await vault.seal(workspace, secretPlace(id), Buffer.from(secret));
    const row: ProviderRow = {
      ...standard,
      ...before,
      ...given,
      workspace,
      name,
      id,
      issuer,
      client_secret: sealed ?? before?.client_secret ?? null,
      updated_at: new Date(clock.now()),
    };
    checkRules(row);
    await checkPassedOn(transaction, context, row);
    await trail.look(transaction, `identity-provider/${name}`);
    const saved = await saveProvider(transaction, row);
    await trail.leave(transaction, context, {
      action: 'putIdentityProvider',
      subject: `identity-provider/${name}`,
      details: { issuer, client_id: row.client_id, sso_only: row.sso_only, secret_changed: sealed !== null },
      event: 'identity.provider-put',
      data: { provider: name },
    });
    await bumpTopic(transaction, providersTopic);
    // Whom it keeps to itself stands in the table of members.
    await bumpTopic(transaction, membersTopic);
    return describeProvider(saved, publicUrl);
  });
}

function checkSecret(secret: string | undefined) {
  if (secret === undefined || /^[\x20-\x7e]+$/.test(secret)) return;
  throw new AppError('invalid_request', 'A secret has no line breaks or letters beyond ASCII. Copy it again.', {
    pointer: '/client_secret',
  });
}

function checkRules({ audience, client_id, sso_only, email_domains, machines }: ProviderRow) {
  if (audience !== null && audience === client_id) {
    throw new AppError(
      'policy_refused',
      'The audience is the client_id, which is what sign-ins of people are made out to. Give this interface an audience of its own at the provider.',
      { pointer: '/audience' },
    );
  }
  if (sso_only && email_domains.length === 0) {
    throw new AppError('invalid_request', 'Whom does sso_only bind? Name the email_domains.', {
      pointer: '/email_domains',
    });
  }
  if (new Set(machines.map(({ client }) => client)).size < machines.length) {
    throw new AppError('invalid_request', 'A client stands in machines twice. Name it once.', { pointer: '/machines' });
  }
}

/** Whoever enters a provider makes its people and machines what they say: no more than they are themselves. */
async function checkPassedOn(transaction: Transaction, context: CallContext, row: ProviderRow) {
  requireWholeReach(context);
  for (const role of new Set([...row.roles.map((one) => one.role), ...(row.default_role ? [row.default_role] : [])])) {
    await checkRolePassedOn(transaction, context, role);
  }
  for (const [index, { service_account: name }] of row.machines.entries()) {
    const account = await findServiceAccount(transaction, name);
    if (!account) throw noServiceAccount(name, index);
    await requireAsHigh(transaction, context, account.role);
  }
}

function noServiceAccount(name: string, index: number): AppError {
  return new AppError('invalid_request', `There is no service account ${name}. Create it first.`, {
    pointer: `/machines/${index}/service_account`,
  });
}

function tooMany(): AppError {
  return new AppError(
    'policy_refused',
    `A workspace has ${mostProviders} identity providers at most. Remove one first.`,
    {
      pointer: '/identity_provider',
    },
  );
}

function secretMoved(): AppError {
  return new AppError('secret_required', 'The secret belongs to the old issuer. Enter it again to change the issuer.', {
    pointer: '/client_secret',
  });
}
