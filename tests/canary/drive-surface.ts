import { serviceOperations } from '@damask/contracts/services.ts';
import { buildRoutes } from '../../server/src/gateway/routes.ts';
import { requestFor } from '../authorisation/matrix-cases.ts';
import { seedMembers } from '../authorisation/seed-by-hand.ts';
import { type Side, seed } from '../authorisation/seed-workspace.ts';
import type { TwoWorkspaces } from '../authorisation/two-workspaces.ts';
import { RawBody } from '../http-client.ts';
import type { Recorder } from './record-answers.ts';
import type { Planted } from './start-planted.ts';

type Sql = TwoWorkspaces['sql'];
type Operation = TwoWorkspaces['gateway']['routes']['all'][number]['operation'];

/** Two workspaces with one of each thing, as the matrix of rights has them, in a platform of real processes. */
export async function makeWorld(
  planted: Planted,
  recorder: Recorder,
  sql: Sql,
  owners: Readonly<Record<'alpha' | 'beta', { readonly id: string; readonly ownerKey: string }>>,
): Promise<TwoWorkspaces> {
  const client = {
    send: (method: string, path: string, options = {}) => recorder.send('owner', method, path, options),
    close: () => undefined,
  };
  const side = async (name: 'alpha' | 'beta', mark: string): Promise<Side> => {
    const made = await seed(client, planted.model.url, { ...owners[name], mark, more: name === 'beta' });
    made.things.member = (await seedMembers(sql, made.workspace, mark))[0] as string;
    made.things.erasure = '01900000-0000-7000-8000-000000000000';
    return made;
  };
  const world = {
    gateway: { routes: buildRoutes(serviceOperations) },
    model: planted.model,
    alpha: await side('alpha', 'qalqa'),
    beta: await side('beta', 'qbeqb'),
    send: client.send,
    sql,
  };
  // What the matrix needs beyond these is of one process only.
  return world as unknown as TwoWorkspaces;
}

/** These would end the work itself, or wait for it. */
const leftOut = new Set(['DELETE /v1/login', 'POST /v1/runs/{run}/cancel']);

/**
 * Every operation as the owner, as somebody who may less, as the owner of the other workspace, as nobody, with secrets in place of a
 * key, and with a secret in every wrong place of a request. Answers how many requests that were, and what was refused to the owner.
 */
export async function driveSurface(
  world: TwoWorkspaces,
  recorder: Recorder,
  { secrets, keys }: { secrets: readonly string[]; keys: readonly string[] },
): Promise<{ readonly asked: number; readonly refused: readonly string[] }> {
  const refused: string[] = [];
  const before = recorder.answers.length;
  const waiting = world.gateway.routes.all.filter(
    ({ operation }) => !leftOut.has(`${operation.method} ${operation.path}`),
  );
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift())
      await driveOne(world, recorder, next.operation, secrets, keys, refused);
  };
  await Promise.all([1, 2, 3, 4].map(worker));
  return { asked: recorder.answers.length - before, refused };
}

async function driveOne(
  world: TwoWorkspaces,
  recorder: Recorder,
  operation: Operation,
  secrets: readonly string[],
  keys: readonly string[],
  refused: string[],
) {
  const { method } = operation;
  const { owner, keys: roles } = world.alpha;
  const [secret = ''] = secrets;
  const { path, body } = await requestFor(world, operation, 'owner');
  const foreign = await requestFor(world, operation, 'foreign');
  const as = (who: 'owner' | 'others', key: string | null, request: { path: string; body?: unknown }, headers = {}) =>
    recorder
      .send(who, method, request.path, {
        key,
        headers: Object.entries(headers) as [string, string][],
        ...(request.body === undefined ? {} : { body: request.body }),
      })
      .catch((error: Error) => recorder.note(who, `${method} ${request.path}`, String(error.stack)));
  const reply = await as('owner', owner, { path, body });
  if (reply && reply.status >= 400) refused.push(`${method} ${operation.path} ${reply.status}`);
  await as('owner', roles.viewer, { path, body });
  await as('others', world.beta.owner, foreign);
  await as('others', null, { path, body });
  for (const key of keys) await as('others', key, { path, body });

  const at = path.includes('?') ? '&' : '?';
  await as('others', null, { path: `${path}${at}api_key=${encodeURIComponent(secret)}`, body });
  await as(
    'others',
    null,
    { path, body },
    { authorization: `Basic ${Buffer.from(`me:${secret}`).toString('base64')}` },
  );
  await as('others', null, { path, body }, { 'x-api-key': secret, cookie: `damask=${secret}; other=${secret}` });
  await as('owner', owner, { path: `${path}${at}${encodeURIComponent(secret)}=${encodeURIComponent(secret)}`, body });
  await as(
    'owner',
    owner,
    { path, body },
    { 'if-match': secret, 'damask-workspace': secret, 'accept-language': secret },
  );
  await as('owner', owner, { path: operation.path.replaceAll(/\{\w+\}/g, encodeURIComponent(`${secret}"'\n`)), body });
  if (body === undefined || body instanceof RawBody) return;
  const fields = body as Record<string, unknown>;
  const wrong = [{ ...fields, [secret]: 'x' }, { ...fields, unknown_field: secret }, [secret], secret];
  for (const one of wrong) await as('owner', owner, { path, body: JSON.stringify(one) });
  for (const name of Object.keys(operation.input.properties)) {
    await as('owner', owner, { path, body: { ...fields, [name]: [[{ [secret]: secret }]] } });
  }
  await as('owner', owner, { path, body: `{"a": "${secret}", "b": ${secret}` });
  await as('owner', owner, { path, body: `{"${secret}": 1, "${secret}": 2}` });
  await as('owner', owner, { path, body: Buffer.from(`${secret}\xff\xfe`, 'latin1') });
  await as('owner', owner, { path, body: new RawBody(`text/${secret}; charset=${secret}`, Buffer.from(secret)) });
}
