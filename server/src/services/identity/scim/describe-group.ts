import { type ScimGroup, scimSchemas } from '@damask/contracts/scim.ts';
import { scimAddress } from './describe-user.ts';
import type { GroupMember, ScimGroupRow } from './scim-group-store.ts';

/** A group as RFC 7643 (4.2) writes one; without `members` these are left out. */
export function describeGroup(
  row: ScimGroupRow,
  members: readonly GroupMember[] | null,
  publicUrl: string | null,
): ScimGroup {
  return {
    schemas: [scimSchemas.group],
    id: row.id,
    ...(row.external_id === null ? {} : { externalId: row.external_id }),
    displayName: row.display_name,
    ...(members === null
      ? {}
      : {
          members: members.map(({ account, name }) => ({
            value: account,
            display: name,
            $ref: scimAddress(publicUrl, `Users/${account}`),
            type: 'User',
          })),
        }),
    meta: {
      resourceType: 'Group',
      created: row.created_at.toISOString(),
      lastModified: row.updated_at.toISOString(),
      location: scimAddress(publicUrl, `Groups/${row.id}`),
    },
  };
}
