import type { Damask } from '@damask/sdk';
import { InputError } from './input-error.ts';

const lookBack = 200;

/** The batch that a person means: a whole id, its end as lists show it, or `last`. Throws InputError when there is none. */
export async function batchIdOf(damask: Damask, text: string): Promise<string> {
  const wanted = text.toLowerCase();
  if (wanted === 'last') {
    const [last] = (await damask.batches.list({ limit: 1 })).items;
    if (!last) throw new InputError('There is no batch yet. Make one: damask batch summarize inputs.csv', 'notFound');
    return last.id;
  }
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(wanted)) return wanted;
  if (!/^[0-9a-f]{6,12}$/.test(wanted)) {
    throw new InputError(
      `${text} is not the id of a batch. Give one of \`damask batches\`, its end, or last.`,
      'notFound',
    );
  }
  const { items } = await damask.batches.list({ limit: lookBack });
  const found = items.filter((batch) => batch.id.endsWith(wanted));
  const [one] = found;
  if (one && found.length === 1) return one.id;
  throw new InputError(
    found.length === 0
      ? `None of the last ${lookBack} batches ends in ${wanted}. Give the whole id: damask batches --json`
      : `${found.length} batches end in ${wanted}. Give more of the id.`,
    'notFound',
  );
}
