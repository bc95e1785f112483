import { type Damask, DamaskError } from '@damask/sdk';
import { closestName } from './closest-name.ts';

/** A better error where it is the pattern that is missing: with the name that was probably meant. */
export async function explainMissingPattern(damask: Damask, pattern: string, error: unknown): Promise<unknown> {
  if (!(error instanceof DamaskError) || error.code !== 'not_found') return error;
  const names: string[] = [];
  try {
    for await (const { name } of damask.patterns.listAll()) names.push(name);
  } catch {
    return error;
  }
  if (names.includes(pattern)) return error;
  const meant = closestName(pattern, names);
  const hint = meant ? `Did you mean '${meant}'? ` : '';
  const { status, requestId } = error;
  const detail = `There is no pattern '${pattern}'. ${hint}\`damask patterns\` lists them.`;
  return new DamaskError('not_found', detail, { status, requestId }, { cause: error });
}
