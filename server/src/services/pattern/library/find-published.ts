import { defaultSettings, type PatternSettings } from '@damask/contracts/pattern-settings.ts';
import type { Transaction } from '#platform/database/database.ts';
import { type Composition, readComposition } from '../template/composition.ts';
import type { VariableRule } from '../template/variables.ts';
import { fromStoredSettings } from './stored-settings.ts';
import { findNewest } from './version-store.ts';

/** The newest version of a pattern, as other patterns include it. */
export interface Published {
  readonly version: number;
  readonly digest: string;
  readonly template: 1 | 2;
  readonly composition: Composition;
  readonly variables: readonly VariableRule[];
  readonly literal_tokens: readonly string[];
  readonly disabled_capabilities: readonly string[];
}

/** The newest version of a living pattern in the transaction's workspace. */
export async function findPublished(transaction: Transaction, name: string): Promise<Published | undefined> {
  const row = await findNewest(transaction, name);
  if (!row) return undefined;
  const { settings, text, ...rest } = row;
  const { template, includes }: PatternSettings = { ...defaultSettings, ...fromStoredSettings(settings) };
  return { ...rest, template, composition: readComposition(text, includes.length > 0) };
}
