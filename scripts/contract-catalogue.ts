import { readdirSync } from 'node:fs';
import { errorCatalogue } from '@damask/contracts/errors.ts';
import * as fields from '@damask/contracts/field.ts';
import type { Operation } from '@damask/contracts/operation.ts';
import { serviceOperations } from '@damask/contracts/services.ts';
import { type TSchema, Type } from 'typebox';

export interface CatalogueEntry {
  readonly service: string;
  readonly name: string;
  readonly operation: Operation;
}

export interface Catalogue {
  /** Operations that can be reached from outside, in the order of the contracts. */
  readonly operations: readonly CatalogueEntry[];
  /** Exported schemas of objects and choices by the name they are exported under. */
  readonly schemas: ReadonlyMap<string, TSchema>;
  /** The exported name of a schema, also of a copy (TypeBox copies what it makes optional). */
  readonly nameOf: (schema: TSchema) => string | undefined;
  /** Descriptions of the field types (id, name, time) that appear everywhere. */
  readonly fieldDescriptions: ReadonlySet<string>;
}

/** Reads the contracts; a new file in their folder needs no change here. */
export async function loadCatalogue(): Promise<Catalogue> {
  const schemas = new Map<string, TSchema>();
  for (const file of readdirSync(new URL('../contracts/src/', import.meta.url)).sort()) {
    if (!file.endsWith('.ts') || file.endsWith('.test.ts')) continue;
    const exports: Record<string, unknown> = await import(`@damask/contracts/${file}`);
    for (const [name, value] of Object.entries(exports)) if (isNamedType(name, value)) schemas.set(name, value);
  }
  const codes = Type.Union(Object.keys(errorCatalogue).map((code) => Type.Literal(code)));
  const names = new Map([...schemas, ['ErrorCode', codes] as const].map(([name, schema]) => [shapeOf(schema), name]));
  return {
    operations: Object.entries(serviceOperations).flatMap(([service, operations]) =>
      Object.entries(operations as Record<string, Operation>)
        .filter(([, operation]) => operation.permission !== 'internal')
        .map(([name, operation]) => ({ service, name, operation })),
    ),
    schemas,
    nameOf: (schema) => names.get(shapeOf(schema)),
    fieldDescriptions: new Set(Object.values(fields).flatMap((field) => descriptionOf(field))),
  };
}

// Field types such as Id are strings: a name for each would hide more than it says.
function isNamedType(name: string, value: unknown): value is TSchema {
  if (!/^[A-Z]/.test(name) || typeof value !== 'object' || value === null) return false;
  const schema = value as { type?: string; properties?: object; anyOf?: unknown };
  return schema.anyOf !== undefined || (schema.type === 'object' && Object.keys(schema.properties ?? {}).length > 0);
}

function descriptionOf(field: unknown): string[] {
  const { description } = Object(field) as { description?: string };
  return description ? [description] : [];
}

function shapeOf(schema: TSchema): string {
  return JSON.stringify(schema);
}
