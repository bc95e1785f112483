import { DamaskError } from '@damask/sdk';
import { closestName } from './closest-name.ts';

/** A better error where a thing of this name is missing: with the name that was probably meant. */
export async function explainMissingName(
  error: unknown,
  {
    what,
    name,
    all,
  }: {
    readonly what: string;
    readonly name: string;
    readonly all: AsyncIterable<{ name: string }> | Iterable<{ name: string }>;
  },
): Promise<unknown> {
  if (!(error instanceof DamaskError) || error.code !== 'not_found') return error;
  const names: string[] = [];
  try {
    for await (const one of all) names.push(one.name);
  } catch {
    return error;
  }
  if (names.includes(name)) return error;
  const meant = closestName(name, names);
  const hint = meant ? `Did you mean '${meant}'? ` : '';
  const { status, requestId } = error;
  const detail = `There is no ${what} '${name}'. ${hint}\`damask ${what}s\` lists them.`;
  return new DamaskError('not_found', detail, { status, requestId }, { cause: error });
}
