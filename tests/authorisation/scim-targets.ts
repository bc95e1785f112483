import type { Input } from '../sample-input.ts';
import type { TwoWorkspaces } from './two-workspaces.ts';

type Make = (world: TwoWorkspaces, method: string, path: string, body?: unknown) => Promise<Input>;

/** Inputs of what directories do. Their bodies come from `sample-input.ts`. */
export function scimTargets(make: Make, freshName: () => string) {
  const none = () => ({});
  return {
    'POST /scim/v2/Users': none,
    'PUT /scim/v2/Users/{user}': none,
    'PATCH /scim/v2/Users/{user}': none,
    'DELETE /scim/v2/Users/{user}': async (world: TwoWorkspaces) => ({
      user: (await make(world, 'POST', '/scim/v2/Users', { userName: freshName() })).id,
    }),
    'POST /scim/v2/Groups': none,
    'PUT /scim/v2/Groups/{group}': none,
    'PATCH /scim/v2/Groups/{group}': none,
    'DELETE /scim/v2/Groups/{group}': async (world: TwoWorkspaces) => ({
      group: (await make(world, 'POST', '/scim/v2/Groups', { displayName: freshName() })).id,
    }),
  };
}
