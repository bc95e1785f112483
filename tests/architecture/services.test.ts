import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ServiceName, serviceOperations } from '@damask/contracts/services.ts';
import { serviceTable } from '../../server/src/compose.ts';
import { type HouseFile, houseFiles, isTestCode } from './house.ts';
import { importsOf, textsOf } from './syntax.ts';

type Needs = Readonly<Record<string, readonly string[]>>;

/** Files of contracts that are everybody's, and whose the others are. */
const shared = ['errors', 'events', 'field', 'operation', 'permissions', 'services'];
const contractsOf: Readonly<Record<ServiceName, readonly string[]>> = {
  identity: [
    'identity',
    'api-key',
    'member',
    'role',
    'role-operations',
    'service-account',
    'team',
    'login',
    'command-line-login',
    'identity-provider',
    'invitation',
    'encryption',
    'scim',
    'audit',
    'evidence',
  ],
  pattern: [
    ...[
      'attachment',
      'batch-operations',
      'budget-operations',
      'egress',
      'chain',
      'chain-yaml',
      'context',
      'history',
      'message',
      'model',
      'parameters',
      'pattern',
      'pattern-settings',
      'pattern-yaml',
      'run',
      'queue-operations',
      'run-operations',
      'run-request',
      'run-step',
    ],
    ...['audit', 'egress', 'guard', 'privacy', 'redaction-operations', 'session', 'strategy', 'timer', 'transfer'],
  ],
  gateway: ['gateway'],
};

const needs: Needs = Object.fromEntries(Object.entries(serviceTable).map(([service, entry]) => [service, entry.needs]));

function findRing(graph: Needs): string[] | null {
  const visit = (service: string, path: readonly string[]): string[] | null => {
    if (path.includes(service)) return [...path.slice(path.indexOf(service)), service];
    for (const need of graph[service] ?? []) {
      const ring = visit(need, [...path, service]);
      if (ring) return ring;
    }
    return null;
  };
  for (const service of Object.keys(graph)) {
    const ring = visit(service, []);
    if (ring) return ring;
  }
  return null;
}

/** Contracts that a file of a service imports without having declared the need. */
function strangeContracts(file: HouseFile, service: string, graph: Needs): string[] {
  const own = [service, ...(graph[service] ?? [])].flatMap((name) => contractsOf[name as ServiceName] ?? []);
  const allowed = new Set([...shared, ...own].map((name) => `@damask/contracts/${name}.ts`));
  return importsOf(file)
    .filter(({ text }) => text.startsWith('@damask/contracts') && !allowed.has(text))
    .map(({ line, text }) => `${file.path}:${line}: ${text}`);
}

const qualified =
  /\b(?:from|join|into|update|only|table|exists|references|on|function|execute function|perform|call|sequence)\s+([a-z_]+)\.[a-z_$]/g;

/** Schemas that a service's SQL names beside its own and the platform's topics. */
function strangeSchemas(sql: string, service: string): string[] {
  const aliases = new Set(
    [...sql.matchAll(/\b(?:as\s+)?([a-z_]+)\s+(?:on|where|join|set|using|for|order)\b/g)].map(([, name]) => name),
  );
  // What the platform's own stores need in a service's transaction the service grants to itself.
  const own = sql.replaceAll(new RegExp(`^grant [^;]+ on platform\\.\\w+ to damask_${service};$`, 'gm'), '');
  return [...own.matchAll(qualified)]
    .filter(([words, schema]) => {
      if (schema === service || schema === 'pg_catalog' || schema === 'information_schema') return false;
      if (schema === 'platform') return !/platform\.t|execute function platform\.r/.test(words);
      return !aliases.has(schema) && !/^(new|old|excluded|[a-z])$/.test(schema as string);
    })
    .map(([words]) => words);
}

const serviceFiles = (service: string) =>
  houseFiles().filter(({ path }) => path.startsWith(`server/src/services/${service}/`));

test('services call each other in one direction', () => {
  assert.equal(findRing(needs), null);
  for (const [service, list] of Object.entries(needs)) {
    for (const need of list) assert.ok(need in needs, `${service} needs ${need}, which does not exist`);
  }
});

test('a ring of needs is found', () => {
  assert.deepEqual(findRing({ a: ['b'], b: ['c'], c: ['b'] }), ['b', 'c', 'b']);
  assert.deepEqual(findRing({ a: ['a'] }), ['a', 'a']);
  assert.equal(findRing({ a: ['b', 'c'], b: ['c'], c: [] }), null);
});

test('every service has a folder, a door, migrations and a contract, and there are no others', () => {
  const folders = new Set(
    houseFiles().flatMap(({ path }) => /^server\/src\/services\/([^/]+)\//.exec(path)?.[1] ?? []),
  );
  assert.deepEqual([...folders].sort(), Object.keys(needs).sort());
  assert.deepEqual(Object.keys(serviceOperations).sort(), [...folders, 'gateway'].sort());
  for (const service of folders) {
    const paths = serviceFiles(service).map(({ path }) => path.replace(`server/src/services/${service}/`, ''));
    assert.ok(paths.includes('service.ts'), `${service} has no service.ts`);
    assert.ok(paths.includes('README.md'), `${service} has no README.md`);
    assert.ok(
      paths.some((path) => path.startsWith('migrations/0001_')),
      `${service} has no migrations`,
    );
  }
});

test('a service imports its own contracts and those of the services it needs', () => {
  const strange = Object.keys(needs).flatMap((service) =>
    serviceFiles(service)
      .filter(({ path }) => path.endsWith('.ts') && !isTestCode(path))
      .flatMap((file) => strangeContracts(file, service, needs)),
  );
  assert.deepEqual(strange, []);
});

test('an undeclared contract is found', () => {
  const file = { path: 'a.ts', text: "import type { Run } from '@damask/contracts/run.ts';" };
  assert.equal(strangeContracts(file, 'identity', needs).length, 1);
  assert.equal(strangeContracts(file, 'identity', { identity: ['pattern'] }).length, 0);
  assert.equal(strangeContracts(file, 'pattern', needs).length, 0);
});

test('a service names its own schema only, the topics of the platform and its guard of tables that only grow', () => {
  const strange = Object.keys(needs).flatMap((service) =>
    serviceFiles(service)
      .filter(({ path }) => !isTestCode(path))
      .flatMap((file) => {
        const texts = file.path.endsWith('.sql') ? [file.text] : file.path.endsWith('store.ts') ? sqlOf(file) : [];
        return texts.flatMap((text) => strangeSchemas(text, service).map((words) => `${file.path}: ${words}`));
      }),
  );
  assert.deepEqual(strange, []);
});

test("a look into another's schema is found", () => {
  for (const sql of [
    'select id from identity.api_key where workspace = $1',
    'select 1 from pattern.pattern p join identity.workspace w on w.workspace = p.workspace',
    'create table pattern.x (key uuid references identity.api_key (id))',
    'insert into identity.audit values (1)',
    'select * from platform.data_key',
    'grant select on platform.data_key to damask_identity;',
  ]) {
    assert.equal(strangeSchemas(sql, 'pattern').length, 1, sql);
  }
  for (const sql of [
    'select p.id from pattern.pattern p join pattern.version v on v.workspace = p.workspace',
    'select version from platform.topic where name = $1',
    'update pattern.label set version = excluded.version',
    'grant select, insert on platform.data_key to damask_pattern;',
  ]) {
    assert.deepEqual(strangeSchemas(sql, 'pattern'), [], sql);
  }
});

function sqlOf(file: HouseFile): string[] {
  return textsOf(file).map(({ text }) => text);
}
