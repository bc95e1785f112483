import type { Operation } from '@damask/contracts/operation.ts';
import type { HttpReply } from '../http-client.ts';
import { type Input, sampleInput, titleOf, toRequest } from '../sample-input.ts';
import type { Case } from './matrix-cases.ts';
import type { Row } from './read-table.ts';
import { targetOf, thingsByField } from './targets.ts';
import { nobodys, type Side, type TwoWorkspaces } from './two-workspaces.ts';

/** `GET /v1/runs cursor`: the key of a row of `fields.csv`. */
export const fieldKey = (row: Row) => `${row.method} ${row.path} ${row.field}`;

/** The keys that `fields.csv` must have, from the live routes. */
export function liveFields(world: TwoWorkspaces): string[] {
  return world.gateway.routes.all.flatMap(({ operation }) =>
    Object.keys(operation.input.properties).map((field) => `${titleOf(operation)} ${field}`),
  );
}

/** In each field that names something, alpha's owner names what belongs to beta. */
export function fieldCases(world: TwoWorkspaces, table: readonly Row[]): Case[] {
  const operations = new Map(world.gateway.routes.all.map(({ operation }) => [titleOf(operation), operation]));
  return table
    .filter((row) => row.names !== '-')
    .flatMap((row) => {
      const title = `${row.method} ${row.path}`;
      const operation = operations.get(title);
      if (!operation) return [];
      const name = `${title} with beta's ${row.names} as ${row.field}`;
      return [{ name, operation: title, check: () => checkField(world, operation, row) }];
    });
}

async function checkField(world: TwoWorkspaces, operation: Operation, row: Row): Promise<string | null> {
  const { names = '', field = '', foreign } = row;
  const theirs = thingOf(world.beta, names, { own: foreign === 'own', title: titleOf(operation) });
  const base = await ownInput(world, operation, names);
  const ask = (value: unknown) => {
    const { path, body } = toRequest(operation, { ...base, [field]: asField(names, value) });
    return world.send(operation.method, path, { key: world.alpha.owner, body });
  };
  const reply = await ask(theirs);
  if (foreign === 'own') return isSuccess(reply);
  if (foreign === 'empty') return isSuccess(reply) ?? (reply.body.items.length === 0 ? null : 'the page has rows');
  if (String(reply.status) !== foreign) return `expected ${foreign}, got ${reply.status} ${reply.body?.code ?? ''}`;
  if (foreign !== '404') return null;
  const unknown = nobodys(world.beta, theirs);
  const random = await ask(unknown);
  const [seen, meant] = [fingerprint(reply, theirs), fingerprint(random, unknown)];
  return seen === meant ? null : `differs from the answer for a thing that nobody has:\n${seen}\n${meant}`;
}

function thingOf(side: Side, names: string, { own, title }: { own: boolean; title: string }): string | number {
  const word = names === 'cursor' ? `cursor of ${title}` : names;
  const thing = (own ? side.things[`other ${word}`] : undefined) ?? side.things[word];
  if (thing === undefined || thing === 'none') throw new Error(`Nothing is seeded that is a ${names} for ${title}`);
  return thing;
}

/** What alpha's owner may do, on things of alpha. Versions and labels of beta hang on a pattern that both have. */
async function ownInput(world: TwoWorkspaces, operation: Operation, names: string): Promise<Input> {
  const shared = names === 'version' || names === 'label' ? { pattern: 'same_name', label: 'mine' } : {};
  const own = operation.path.includes('{run}') ? {} : await targetOf(world, operation);
  const known = { ...thingsByField(world.alpha), ...own, ...shared };
  const wanted = [
    'variables',
    'model',
    ...(names === 'text' ? [] : ['system']),
    'files',
    'of',
    'limit_tokens',
    'items',
    'start_at',
    'since',
  ];
  const optional = wanted.filter((name) => name in known && name in operation.input.properties);
  const system = 'system' in own ? { system: own.system } : {};
  return {
    ...sampleInput(operation, known),
    ...Object.fromEntries(optional.map((name) => [name, (known as Record<string, unknown>)[name]])),
    ...system,
  };
}

function asField(names: string, value: unknown): unknown {
  return names === 'tree' ? [{ path: `patterns/${value}/system.md`, content: 'Mine.' }] : value;
}

function isSuccess(reply: HttpReply): string | null {
  return reply.status < 300 ? null : `expected success, got ${reply.status} ${reply.body?.code ?? ''}`;
}

function fingerprint(reply: HttpReply, value: string | number): string {
  const text = reply.text.replace(/"request_id":"[^"]*"/, '"request_id":""').replaceAll(String(value), '<value>');
  return JSON.stringify([reply.status, reply.headers, text]);
}
