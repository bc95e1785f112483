import { type egressOperations, egressSurfaces } from '@damask/contracts/egress.ts';
import type { Implementation } from '#platform/call.ts';
import type { Egress } from '#platform/egress/egress.ts';

/** What addresses may be called, of providers and of others. Inputs are checked and permissions asked for before they come here. */
export function createEgressOperations(egress: Egress): Implementation<typeof egressOperations> {
  return {
    readEgress: async () => ({
      surfaces: egressSurfaces.map((surface) => ({ surface, allow: [...egress.surface(surface).allow] })),
    }),
    /** Resolves the name, and sends nothing. */
    checkEgress: async (_, { url, surface = 'provider' }) => ({
      surface,
      ...(await egress.surface(surface).judge(url)),
    }),
  };
}
