import type { Workspace } from '@damask/contracts/identity.ts';
import { notFound } from '#platform/app-error.ts';
import type { CallContext } from '#platform/call.ts';
import type { IdentityParts } from './identity-parts.ts';
import { findWorkspace } from './store.ts';

export async function readWorkspace({ database }: IdentityParts, context: CallContext): Promise<Workspace> {
  const scope = { role: 'identity', workspace: context.workspace };
  const workspace = await database.transaction(scope, findWorkspace);
  if (!workspace) throw notFound();
  return workspace;
}
