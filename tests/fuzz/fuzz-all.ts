import type { Fuzzing } from './fuzz-routes.ts';

/** Fuzzes each route once, four at a time. Answers what went wrong, with the smallest request that shows it. */
export async function fuzzAll(
  { routes, hostile, takeErrors }: Pick<Fuzzing, 'routes' | 'hostile' | 'takeErrors'>,
  options: { readonly seed: number; readonly count: number },
): Promise<string[]> {
  const wrong: string[] = [];
  const waiting = [...routes];
  takeErrors();
  const worker = async () => {
    for (let route = waiting.shift(); route !== undefined; route = waiting.shift()) {
      await route.fuzz(options).catch((error: unknown) => {
        wrong.push(`${(error as Error).message} ${(error as Error & { cause?: Error }).cause?.message ?? ''}`);
      });
    }
  };
  await Promise.all(Array.from({ length: 4 }, worker));
  wrong.push(...takeErrors().map((line) => `an error was logged: ${JSON.stringify(line)}`));
  const next = await hostile.send('GET', '/v1/me');
  if (next.status !== 200) wrong.push(`the next caller was hurt: ${next.text}`);
  return wrong;
}
