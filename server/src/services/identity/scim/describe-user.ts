import { type ScimUser, scimSchemas } from '@damask/contracts/scim.ts';
import type { ScimUserRow } from './scim-user-store.ts';
import type { UserProfile } from './user-profile.ts';

/** Where resources are; without an address of our own it is told from the root. */
export const scimAddress = (publicUrl: string | null, path: string) => `${publicUrl ?? ''}/scim/v2/${path}`;

/** A person as RFC 7643 (4.1) writes one. */
export function describeUser(row: ScimUserRow, publicUrl: string | null): ScimUser {
  const name = {
    ...(row.formatted_name === null ? {} : { formatted: row.formatted_name }),
    ...(row.given_name === null ? {} : { givenName: row.given_name }),
    ...(row.family_name === null ? {} : { familyName: row.family_name }),
  };
  return {
    schemas: [scimSchemas.user],
    id: row.id,
    ...(row.external_id === null ? {} : { externalId: row.external_id }),
    userName: row.user_name,
    ...(Object.keys(name).length === 0 ? {} : { name }),
    ...(row.display_name === null ? {} : { displayName: row.display_name }),
    emails: [...row.emails],
    active: row.active,
    groups: row.groups.map(({ id, name }) => ({
      value: id,
      display: name,
      $ref: scimAddress(publicUrl, `Groups/${id}`),
      type: 'direct',
    })),
    meta: {
      resourceType: 'User',
      created: row.created_at.toISOString(),
      lastModified: row.updated_at.toISOString(),
      location: scimAddress(publicUrl, `Users/${row.id}`),
    },
  };
}

export function profileOf(row: ScimUserRow): UserProfile {
  return {
    userName: row.user_name,
    externalId: row.external_id,
    displayName: row.display_name,
    formattedName: row.formatted_name,
    givenName: row.given_name,
    familyName: row.family_name,
    emails: row.emails,
    active: row.active,
  };
}
