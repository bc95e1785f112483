import { scimPageDefault, scimPageLimit, scimSchemas } from '@damask/contracts/scim.ts';

/** People of a workspace and groups of it that are counted at most. */
export const mostUsers = 100_000;

/** Which rows a list is about. What is out of bounds counts as the bound (RFC 7644, 3.4.2.4). */
export function readPage({ startIndex = 1, count = scimPageDefault }: { startIndex?: number; count?: number }) {
  const first = Math.min(Math.max(1, startIndex), mostUsers + 1);
  return { first, offset: first - 1, limit: Math.min(Math.max(0, count), scimPageLimit) };
}

export function listResponse<Resource>(resources: readonly Resource[], total: number, first: number) {
  return {
    schemas: [scimSchemas.list] as string[],
    totalResults: total,
    startIndex: first,
    itemsPerPage: resources.length,
    Resources: [...resources],
  };
}
