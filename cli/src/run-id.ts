import type { Damask } from '@damask/sdk';
import { InputError } from './input-error.ts';

/** How far back an id is looked for by its end. */
const lookBack = 200;

/** The end of an id, which is random: enough to tell the runs of a list apart. Its beginning is the time. */
export const shortRunId = (id: string) => id.slice(-12);

/** The run that a person means: a whole id, its end as lists show it, or `last`. Throws InputError when there is none. */
export async function runIdOf(damask: Damask, text: string): Promise<string> {
  const wanted = text.toLowerCase();
  if (wanted === 'last') {
    const [last] = (await damask.runs.list({ limit: 1 })).items;
    if (!last) throw new InputError('There is no run yet. Make one: damask run summarize < README.md', 'notFound');
    return last.id;
  }
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(wanted)) return wanted;
  if (!/^[0-9a-f]{6,12}$/.test(wanted)) {
    throw new InputError(`${text} is not the id of a run. Give one of \`damask runs\`, its end, or last.`, 'notFound');
  }
  const { items } = await damask.runs.list({ limit: lookBack });
  const found = items.filter((run) => run.id.endsWith(wanted));
  if (found.length === 1) return (found[0] as { id: string }).id;
  throw new InputError(
    found.length === 0
      ? `None of the last ${lookBack} runs ends in ${wanted}. Give the whole id: damask runs --json`
      : `${found.length} runs end in ${wanted}. Give more of the id.`,
    'notFound',
  );
}
