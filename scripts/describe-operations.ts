import { type Operation, pathParameters } from '@damask/contracts/operation.ts';
import { rolePermissions, roles } from '@damask/contracts/permissions.ts';
import { serviceOperations } from '@damask/contracts/services.ts';
import type { TSchema } from 'typebox';
import type { Catalogue, CatalogueEntry } from './contract-catalogue.ts';
import { markdownTable } from './markdown-table.ts';
import { schemaToTypeScript } from './schema-to-typescript.ts';

/** The page of all operations: what can be called, by whom, with what, and what comes back. */
export function describeOperations(catalogue: Catalogue): string[] {
  const shapes = new Map<string, TSchema>();
  const nameOf = (schema: TSchema) => {
    const name = catalogue.nameOf(schema);
    if (name !== undefined && name !== 'ErrorCode') shapes.set(name, schema);
    return name === 'ErrorCode' ? 'string' : name;
  };
  const show = (schema: TSchema) => plain(schemaToTypeScript(schema, { nameOf, silent: catalogue.fieldDescriptions }));
  const services = Map.groupBy(catalogue.operations, ({ service }) => service);
  const parts = [...services].flatMap(([service, entries]) => [
    `## ${service}`,
    ...entries.map((entry) => describe(entry, (schema) => nameOf(schema) ?? show(schema))),
  ]);
  return [
    '# Operations',
    'The interface of the platform, as `/openapi.json` has it too. Send the key as `Authorization: Bearer dmk_...`. ' +
      'Beside the codes named at an operation, each one that needs a key can answer `invalid_request`, `unauthenticated`, ' +
      '`forbidden`, `too_large`, `unsupported_media_type`, `rate_limited`, `overloaded`, `unavailable` and `internal`. ' +
      'The header `Damask-Deadline` holds the milliseconds that the sender of a request still has.',
    describeRoles(),
    ...parts,
    '## Shapes',
    ...describeShapes(shapes, show),
    describeInternal(),
  ];
}

function describe({ name, operation }: CatalogueEntry, show: (schema: TSchema) => string): string {
  const inPath = new Set(pathParameters(operation.path));
  const takesBody = operation.method !== 'GET' && operation.method !== 'DELETE';
  const rows = Object.entries(operation.input.properties).map(([field, schema]) => {
    const place = inPath.has(field) ? 'path' : takesBody && !operation.bodyTypes ? 'body' : 'query';
    const needed = operation.input.required?.includes(field) ? 'yes' : '';
    return [`\`${field}\``, place, needed, `\`${flat(show(schema))}\``, description(schema)];
  });
  const errors = operation.errors.map((code) => `\`${code}\``).join(', ');
  return [
    `### ${name}`,
    `${operation.summary}.`,
    `\`${operation.method} ${operation.path}\`, permission \`${operation.permission}\`. ` +
      `Answers ${operation.status} with ${operation.alwaysStreams ? 'a stream of events' : operation.answerTypes ? Object.values(operation.answerTypes).join(' or ') : `\`${flat(show(operation.output))}\``}` +
      `${operation.events && !operation.alwaysStreams ? ', or with `stream: true` a stream of events' : ''}.` +
      `${operation.statusWhen ? ` Answers ${operation.statusWhen.status} where \`${operation.statusWhen.field}\` is \`${operation.statusWhen.value}\`.` : ''}` +
      `${operation.bodyTypes ? ` The body is ${operation.bodyTypes.join(' or ')}.` : ''}` +
      `${operation.uploads ? ` Instead of JSON the body may be ${operation.uploads.types.join(', ')}, of ${operation.uploads.limit} bytes at most; the fields then come in the query, objects as JSON.` : ''}` +
      `${Object.entries(operation.headers ?? {})
        .map(([header, field]) => ` The header \`${header}\` gives \`${field}\`.`)
        .join('')}` +
      `${errors ? ` Codes: ${errors}.` : ''}`,
    ...(rows.length > 0 ? [markdownTable(['field', 'in', 'needed', 'type', 'meaning'], rows)] : []),
  ].join('\n\n');
}

// Showing a shape can name further ones, so the list is walked until it stops growing.
function describeShapes(shapes: Map<string, TSchema>, show: (schema: TSchema) => string): string[] {
  const texts = new Map<string, string>();
  for (let before = -1; before !== shapes.size; ) {
    before = shapes.size;
    for (const [name, schema] of [...shapes]) if (!texts.has(name)) texts.set(name, show(schema));
  }
  return [...texts]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, text]) => `### ${name}\n\n\`\`\`ts\ntype ${name} =${text.startsWith('\n') ? '' : ' '}${text}\n\`\`\``);
}

function describeRoles(): string {
  const all = rolePermissions.owner;
  const rows = all.map((permission) => [
    `\`${permission}\``,
    ...roles.map((role) => (rolePermissions[role].includes(permission) ? 'yes' : '')),
  ]);
  return `## Roles\n\n${markdownTable(['permission', ...roles], rows)}`;
}

function describeInternal(): string {
  const rows = Object.entries(serviceOperations).flatMap(([service, operations]) =>
    Object.entries(operations as Record<string, Operation>)
      .filter(([, operation]) => operation.permission === 'internal')
      .map(([name, operation]) => [service, `\`${name}\``, operation.summary]),
  );
  return `## Between services\n\nNever routed from outside.\n\n${markdownTable(['service', 'operation', 'meaning'], rows)}`;
}

function description(schema: TSchema): string {
  return String((schema as { description?: string }).description ?? '');
}

const flat = (type: string) =>
  type
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\/\*\*.*?\*\/ /g, '')
    .trim();

// For a reader: what is optional has its question mark, and that nothing is changed in place is understood.
const plain = (type: string) => type.replaceAll('readonly ', '').replaceAll(' | undefined', '');
