import type { TSchema } from 'typebox';

/** The part of JSON Schema that the contracts use. */
interface Schema {
  readonly type?: string;
  readonly const?: string | number | boolean;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean;
  readonly required?: readonly string[];
  readonly description?: string;
}

export interface PrinterOptions {
  /** Answers the name that a schema goes by, so that the printer refers to it instead of writing it out. */
  readonly nameOf?: (schema: TSchema) => string | undefined;
  /** Descriptions that would only repeat themselves at every field. */
  readonly silent?: ReadonlySet<string>;
}

/** Writes the TypeScript type of a contract's schema. Throws on a keyword it does not know. */
export function schemaToTypeScript(schema: TSchema, options: PrinterOptions = {}): string {
  return print(schema as Schema, '', options);
}

function reference(schema: Schema, indent: string, options: PrinterOptions): string {
  return options.nameOf?.(schema as TSchema) ?? print(schema, indent, options);
}

function print(schema: Schema, indent: string, options: PrinterOptions): string {
  if (schema.anyOf) return printChoice(schema.anyOf, indent, options);
  if (schema.const !== undefined) return quote(schema.const);
  if (Object.keys(schema).every((keyword) => keyword === 'description')) return 'unknown';
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type;
    case 'integer':
    case 'number':
      return 'number';
    case 'array':
      return `readonly ${wrap(reference(schema.items ?? {}, indent, options))}[]`;
    case 'object':
      return printObject(schema, indent, options);
    default:
      throw new Error(`The printer does not know this schema yet; teach it: ${JSON.stringify(schema).slice(0, 200)}`);
  }
}

function printChoice(members: readonly Schema[], indent: string, options: PrinterOptions): string {
  const parts = members.map((member) => reference(member, indent, options));
  const line = parts.join(' | ');
  if (line.length < 100 || line.includes('\n')) return line;
  return parts.map((part) => `\n${indent}  | ${part}`).join('');
}

function printObject(schema: Schema, indent: string, options: PrinterOptions): string {
  const [record] = Object.values(schema.patternProperties ?? {});
  if (record) return `Readonly<Record<string, ${reference(record, indent, options)}>>`;
  const entries = Object.entries(schema.properties ?? {});
  if (entries.length === 0) return `Readonly<Record<string, ${schema.additionalProperties ? 'unknown' : 'never'}>>`;
  const inner = `${indent}  `;
  const lines = entries.map(([name, property]) => {
    const optional = !schema.required?.includes(name);
    const comment =
      property.description && !options.silent?.has(property.description)
        ? `${inner}/** ${property.description} */\n`
        : '';
    const type = reference(property, inner, options);
    return `${comment}${inner}readonly ${name}${optional ? '?' : ''}:${type.startsWith('\n') ? '' : ' '}${type}${optional ? ' | undefined' : ''};`;
  });
  return `{\n${lines.join('\n')}\n${indent}}`;
}

function wrap(type: string): string {
  return type.includes(' | ') && !type.startsWith('{') ? `(${type})` : type;
}

function quote(value: string | number | boolean): string {
  return typeof value === 'string' ? `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'` : String(value);
}
