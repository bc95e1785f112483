import type { identityOperations } from '@damask/contracts/identity.ts';
import type { OutputOf } from '@damask/contracts/operation.ts';
import { permissions } from '@damask/contracts/permissions.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from './identity-parts.ts';
import { readWorkspace } from './read-workspace.ts';

export async function readMe(
  parts: IdentityParts,
  context: CallContext,
): Promise<OutputOf<typeof identityOperations.readMe>> {
  const { id, name, role, kind, account = null } = context.actor;
  const { patterns, environments, teams } = context.reach;
  if (kind === 'system') throw notFound();
  return {
    workspace: await readWorkspace(parts, context),
    actor: { kind, id, name, role, account },
    permissions: permissions.filter((permission) => context.permissions.has(permission)),
    patterns: patterns && [...patterns],
    environments: environments && [...environments],
    teams: [...teams],
  };
}
