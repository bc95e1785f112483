import type { scimOperations } from '@damask/contracts/scim.ts';
import { notFound } from '#platform/app-error.ts';
import type { Implementation } from '#platform/call.ts';
import type { IdentityParts } from '../identity-parts.ts';
import { createScimGroup, deleteScimGroup, patchScimGroup, replaceScimGroup } from './change-group.ts';
import { deleteScimUser, patchScimUser, replaceScimUser } from './change-user.ts';
import { createScimUser } from './create-user.ts';
import { describeConfig, describeResourceTypes, describeSchemas } from './describe-service.ts';
import { listScimGroups, readScimGroup } from './read-groups.ts';
import { listResponse } from './read-page.ts';
import { listScimUsers, readScimUser } from './read-users.ts';

/** What directories say by SCIM 2.0 of the people and groups of a workspace. */
export function createScimOperations(parts: IdentityParts): Implementation<typeof scimOperations> {
  const { publicUrl } = parts;
  const resourceTypes = describeResourceTypes(publicUrl);
  const schemas = describeSchemas(publicUrl);
  return {
    /** Errors: `invalid_request` for a filter that is not spoken. */
    listScimUsers: (context, input) => listScimUsers(parts, context, input),
    /** Errors: `already_exists`, `policy_refused`. */
    createScimUser: (context) => createScimUser(parts, context),
    /** Errors: `not_found`. */
    readScimUser: (context, input) => readScimUser(parts, context, input),
    /** Errors: `not_found`, `already_exists`, `policy_refused` for the last owner. */
    replaceScimUser: (context, input) => replaceScimUser(parts, context, input),
    /** Errors: `not_found`, `already_exists`, `policy_refused` for the last owner. */
    patchScimUser: (context, input) => patchScimUser(parts, context, input),
    /** Errors: `not_found`, `policy_refused` for the last owner. */
    deleteScimUser: (context, input) => deleteScimUser(parts, context, input),
    /** Errors: `invalid_request` for a filter that is not spoken. */
    listScimGroups: (context, input) => listScimGroups(parts, context, input),
    /** Errors: `already_exists`, `policy_refused`. */
    createScimGroup: (context) => createScimGroup(parts, context),
    /** Errors: `not_found`. */
    readScimGroup: (context, input) => readScimGroup(parts, context, input),
    /** Errors: `not_found`, `already_exists`, `policy_refused`. */
    replaceScimGroup: (context, input) => replaceScimGroup(parts, context, input),
    /** Errors: `not_found`, `already_exists`, `policy_refused`. */
    patchScimGroup: (context, input) => patchScimGroup(parts, context, input),
    /** Errors: `not_found`, `policy_refused`. */
    deleteScimGroup: (context, input) => deleteScimGroup(parts, context, input),
    readScimConfig: async () => describeConfig(publicUrl),
    listScimResourceTypes: async () => listResponse(resourceTypes, resourceTypes.length, 1),
    readScimResourceType: async (_context, { resource_type }) => byId(resourceTypes, resource_type),
    listScimSchemas: async () => listResponse(schemas, schemas.length, 1),
    readScimSchema: async (_context, { schema }) => byId(schemas, schema),
  };
}

function byId(all: readonly Record<string, unknown>[], id: string): Record<string, unknown> {
  const found = all.find((one) => one.id === id);
  if (!found) throw notFound();
  return found;
}
