import type { CallContext } from '#platform/call.ts';
import type { Transaction } from '#platform/database/database.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { mostTeams, tooMany } from '../team/put-team.ts';
import { countTeams, lockTeam, putTeam } from '../team/team-store.ts';

/** Makes the team unless there is one of this name. Errors: `policy_refused` at the limit of teams. */
export async function ensureTeam(
  { clock, trail }: IdentityParts,
  transaction: Transaction,
  context: CallContext,
  name: string,
): Promise<void> {
  if (await lockTeam(transaction, name)) return;
  if ((await countTeams(transaction, mostTeams)) >= mostTeams) throw tooMany();
  await putTeam(transaction, { workspace: context.workspace, name, description: '', now: clock.now() });
  await trail.leave(transaction, context, {
    action: 'putTeam',
    subject: `team/${name}`,
    details: { by: 'scim' },
    event: 'identity.team-put',
    data: { team: name },
  });
}
