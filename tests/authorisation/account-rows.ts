import type { Case } from './matrix-cases.ts';
import type { TwoWorkspaces } from './two-workspaces.ts';

const day = `now() + interval '1 day'`;

/** A row of each table that belongs to people and to no workspace; `$1` is an account of beta. Rolled back. */
const rows: Readonly<Record<string, string>> = {
  account: '(id, name, created_at) values (gen_random_uuid(), $1, now())',
  login_session: `(id, account, hash, kind, way, user_agent, address, created_at, seen_at, expires_at, idle)
    values (gen_random_uuid(), $1, 'planted', 'browser', 'link', '', '', now(), now(), ${day}, '1 hour')`,
  login_link: `(id, account, hash, made_in, created_at, expires_at)
    values (gen_random_uuid(), $1, 'planted', gen_random_uuid(), now(), ${day})`,
  login_identity: `(issuer, subject, account, created_at) values ('planted', 'planted', $1, now())`,
  passkey: `(id, account, credential, public_key, counter, transports, name, created_at)
    values (gen_random_uuid(), $1, 'planted', '', 0, '{}', 'planted', now())`,
  used_challenge: `(hash, expires_at) values ($1, ${day})`,
  command_line_login: `(id, user_code, challenge, name, address, created_at, expires_at)
    values (gen_random_uuid(), $1, 'planted', 'planted', '', now(), ${day})`,
};

/** What belongs to people: a transaction that acts in alpha sees no row of it that is not about a member of alpha. */
export function accountRows(world: TwoWorkspaces): Case[] {
  const { database } = world.platform.connection;
  return Object.entries(rows).flatMap(([name, row]) =>
    ['identity', 'platform'].map((role) => ({
      name: `rows of people in identity.${name} read as ${role} for alpha`,
      operation: `identity.${name}`,
      check: () =>
        world.transaction(async (query) => {
          const known = await query<{ account: string }>('select account from identity.member where workspace = $1', [
            world.alpha.workspace,
          ]);
          const [theirs] = await query<{ account: string }>(
            'select account from identity.member where workspace = $1 limit 1',
            [world.beta.workspace],
          );
          await query(`insert into identity.${name} ${row}`, [theirs?.account]);
          // A reader across workspaces that does not say what it is.
          const says = role === 'identity' ? role : 'pattern';
          await query(
            `set local role "${database}_${role}"; set local damask.role = '${says}';
             set local damask.workspace = '${world.alpha.workspace}'`,
          );
          const own = name === 'account' ? 'where id <> all($1)' : 'where $1::uuid[] is not null';
          try {
            const [seen] = await query<{ count: number }>(
              `select count(*)::int as count from identity.${name} ${own}`,
              [known.map(({ account }) => account)],
            );
            return seen?.count === 0 ? null : `${seen?.count} rows were reached`;
          } catch (error) {
            const { message } = error as Error;
            return /permission denied/.test(message) ? null : message;
          }
        }),
    })),
  );
}
