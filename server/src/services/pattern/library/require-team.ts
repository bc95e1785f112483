import { AppError } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';

/** A pattern that a team owns is changed by its members, and by those who hold team:write. Errors: `forbidden`. */
export function requireTeam({ actor, permissions, reach }: CallContext, pattern: string, team: string | null): void {
  if (team === null || actor.kind === 'system' || permissions.has('team:write') || reach.teams.includes(team)) return;
  throw new AppError(
    'forbidden',
    `The pattern ${pattern} belongs to the team ${team}. Ask one of its members, or an admin to take you in.`,
    { need: `team:${team}` },
  );
}
