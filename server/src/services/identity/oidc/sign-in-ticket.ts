import type { Clock } from '#platform/clock.ts';
import type { Vault } from '#platform/vault.ts';
import type { ProviderRow } from './provider-store.ts';

/** What a browser carries from the start of a sign-in to its end: sealed, so nothing has to be kept for it. */
export interface SignInTicket {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly returnTo: string;
  /** Id of the invitation that lets the person in. */
  readonly invitation?: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** How long a person has at the provider. */
export const ticketLifetime = 600_000;

const placeOf = ({ id }: ProviderRow) => ({ table: 'identity.identity_provider', row: id, column: 'ticket' });

/** Needs the workspace's key to be ready. */
export async function sealTicket(vault: Vault, provider: ProviderRow, ticket: SignInTicket): Promise<string> {
  const sealed = await vault.seal(provider.workspace, placeOf(provider), Buffer.from(JSON.stringify(ticket)));
  return sealed.toString('base64url');
}

/** Undefined for one that was not made here, for this provider, within the last minutes. */
export async function openTicket(
  { vault, clock }: { vault: Vault; clock: Clock },
  provider: ProviderRow,
  text: string,
): Promise<SignInTicket | undefined> {
  const bytes = Buffer.from(text, 'base64url');
  const opened = await vault.open(provider.workspace, placeOf(provider), bytes).catch(() => undefined);
  const ticket = opened && (JSON.parse(opened.toString('utf8')) as SignInTicket);
  return ticket && ticket.until > clock.now() ? ticket : undefined;
}
