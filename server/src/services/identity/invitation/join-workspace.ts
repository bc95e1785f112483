import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import { bumpTopic } from '#platform/topic.ts';
import { type IdentityParts, membersTopic } from '../identity-parts.ts';
import { isTakenOut } from '../oidc/is-taken-out.ts';
import { findListed } from '../oidc/person-store.ts';
import { findWorkspace } from '../store.ts';
import type { HeldInvitation } from './hold-invitation.ts';
import { joinMember, markAccepted } from './invitation-store.ts';
import { listOnlyBy } from './way-in-store.ts';

/** Who takes an invitation, and how they have proved who they are. */
export interface Joining {
  readonly workspace: string;
  readonly account: string;
  readonly name: string;
  /** Addresses that are said to be theirs. */
  readonly emails: readonly (string | null)[];
  /** Id of the identity provider that vouches for them; null for none. */
  readonly provider: string | null;
}

/**
 * In a transaction of the workspace that holds the invitation: uses it up and makes the account a member, or again one.
 * Errors: `sso_required`, `policy_refused` for members and for whom the directory has taken out.
 */
export async function joinWorkspace(
  { clock, trail }: IdentityParts,
  transaction: Transaction,
  context: CallContext,
  { invitation, joining }: { invitation: HeldInvitation; joining: Joining },
): Promise<void> {
  const { workspace, account, name } = joining;
  const { id, role, created_by: createdBy } = invitation;
  const emails = [...joining.emails, invitation.email].filter((email) => email !== null);
  await requireWayIn(transaction, emails, joining.provider);
  const listed = await findListed(transaction, { subject: null, emails, account });
  if (isTakenOut(listed)) throw takenOut();
  const now = clock.now();
  const joined = await joinMember(transaction, { workspace, account, role, createdBy, now });
  if (!joined) throw await memberAlready(transaction);
  await markAccepted(transaction, { id, member: account, now });
  const actor = { kind: 'member', id: account, name, role: 'viewer', account } as const;
  const self = { ...context, workspace, actor };
  await trail.leave(transaction, self, {
    action: 'acceptInvitation',
    subject: `invitation/${id}`,
    details: { role, account },
    event: 'identity.invitation-accepted',
    data: { invitation: id, account, role },
  });
  await trail.leave(transaction, self, {
    action: 'addMember',
    subject: `member/${account}`,
    details: { role, source: 'invitation', created_by: createdBy },
    event: 'identity.member-added',
    data: { account, role },
  });
  await bumpTopic(transaction, membersTopic);
}

// Also the address that was invited: somebody signed in under another one must not take it past its provider.
async function requireWayIn(
  transaction: Transaction,
  emails: readonly string[],
  provider: string | null,
): Promise<void> {
  for (const email of new Set(emails)) {
    const only = await listOnlyBy(transaction, email);
    if (only.length === 0 || only.some(({ id }) => id === provider)) continue;
    const names = only.map((one) => one.name).join(' or ');
    throw new AppError(
      'sso_required',
      `${email} comes into this workspace by the identity provider ${names} only. Accept the invitation by signing in there.`,
    );
  }
}

function takenOut(): AppError {
  return new AppError(
    'policy_refused',
    "Your organisation's directory has taken you out of this workspace, and no invitation goes beyond that. Ask who looks after the directory.",
  );
}

async function memberAlready(transaction: Transaction): Promise<AppError> {
  const workspace = await findWorkspace(transaction);
  return new AppError(
    'policy_refused',
    `You are a member of ${workspace?.name ?? 'this workspace'} already, so the invitation was not used.`,
  );
}
