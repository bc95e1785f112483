import type { Operation } from '@damask/contracts/operation.ts';

interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
}

/** A schema in one line for people: `string, 1 to 200 characters`, `"sync" or "async"`, `list of ...`. */
export function describeType(given: Operation['output']): string {
  return describe(given as Schema);
}

/** An object's shape as an indented outline, one field a line; what is not an object is one line. */
export function outlineSchema(given: Operation['output']): string {
  return outline(given as Schema, '');
}

function describe(schema: Schema): string {
  if (schema.anyOf) return schema.anyOf.map(describe).join(' or ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' or ');
  switch (schema.type) {
    case 'string':
      return `string${range(schema.minLength, schema.maxLength, ' characters')}`;
    case 'integer':
    case 'number':
      return `${schema.type}${range(schema.minimum, schema.maximum, '')}`;
    case 'array':
      return `list of ${describe(schema.items ?? {})}${schema.maxItems === undefined ? '' : `, at most ${figure(schema.maxItems)}`}`;
    case 'object': {
      const [value] = Object.values(schema.patternProperties ?? {});
      return value ? `object of ${describe(value)}` : 'object';
    }
    default:
      return schema.type ?? 'any';
  }
}

function outline(schema: Schema, indent: string): string {
  const inner = objectIn(schema);
  if (!inner?.properties) return describe(schema);
  const required = new Set(inner.required ?? []);
  const lines = Object.entries(inner.properties).map(([name, field]) => {
    const note = field.description ? `   // ${field.description}` : '';
    const list = field.type === 'array' ? 'list of ' : '';
    const value = objectIn(field)?.properties ? `${list}${outline(field, `${indent}  `)}` : describe(field);
    return `${indent}  ${name}${required.has(name) ? '' : '?'}: ${value}${note}`;
  });
  return `{\n${lines.join('\n')}\n${indent}}`;
}

/** The object that a schema is, a list's item is, or that stands beside null. */
function objectIn(schema: Schema): Schema | undefined {
  if (schema.properties) return schema;
  if (schema.type === 'array') return schema.items && objectIn(schema.items);
  const objects = (schema.anyOf ?? []).filter((member) => member.type !== 'null');
  return objects.length === 1 && objects[0] ? objectIn(objects[0]) : undefined;
}

function range(low: number | undefined, high: number | undefined, unit: string): string {
  if (low === undefined && high === undefined) return '';
  if (low === undefined || (low === 0 && unit !== '')) return `, at most ${figure(high as number)}${unit}`;
  if (high === undefined) return `, at least ${figure(low)}${unit}`;
  return `, ${figure(low)} to ${figure(high)}${unit}`;
}

const figure = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: 6 });
