import type { Catalogue } from './contract-catalogue.ts';
export async function generateReference(_catalogue: Catalogue): Promise<[string, string][]> {
  return [];
}
