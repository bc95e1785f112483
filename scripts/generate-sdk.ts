import { errorCatalogue } from '@damask/contracts/errors.ts';
import { pathParameters } from '@damask/contracts/operation.ts';
import { runEvents } from '@damask/contracts/run.ts';
import type { TSchema } from 'typebox';
import type { Catalogue, CatalogueEntry } from './contract-catalogue.ts';
import { schemaToTypeScript } from './schema-to-typescript.ts';

/** Writes `sdk/src/generated.ts`: types of every operation that can be reached, and the table that calls them. */
export function generateSdk(whole: Catalogue): string {
  // Pages are for browsers, and directories have clients of their own.
  const operations = whole.operations.filter(
    ({ operation }) => !operation.media && !operation.redirects && !operation.dialect,
  );
  const catalogue = { ...whole, operations };
  const printer = createPrinter(catalogue);
  const inputs = catalogue.operations.flatMap((entry) =>
    isEmpty(entry) ? [] : [declare(inputName(entry), printer.show(entry.operation.input))],
  );
  const outputs = catalogue.operations.flatMap((entry) => {
    const text = printer.name(entry.operation.output);
    return text.startsWith('{') ? [declare(outputName(entry), text)] : [];
  });
  const signatures = catalogue.operations.map((entry) => {
    const output = printer.name(entry.operation.output);
    const name = output.startsWith('{') ? outputName(entry) : output;
    return `  /** ${entry.operation.summary}. */\n  readonly ${entry.name}: { readonly input: ${inputName(entry)}; readonly output: ${name} };`;
  });
  const events = Object.entries(runEvents).map(([name, data]) => {
    const text = printer.name(data).replaceAll('\n', '\n      ');
    return `  | {\n      readonly event: '${name}';\n      readonly id: number;\n      readonly data: ${text};\n    }`;
  });
  return [
    '// Generated from the contracts by `npm run generate`. Do not edit.',
    `/** Stable codes of errors that the server answers with. */\nexport type ErrorCode =${lines(
      Object.keys(errorCatalogue).map((code) => `  | '${code}'`),
    )};`,
    '/** One page of a list. `next` is the cursor of the next page and absent on the last one. */\nexport interface Page<Row> {\n  readonly items: readonly Row[];\n  readonly next?: string | undefined;\n}',
    ...printer.declarations(),
    ...inputs,
    ...outputs,
    `/** Events of a streamed run. \`id\` is the byte offset of the output after the event. */\nexport type RunEvent =${lines(events)};`,
    `/** Input and output of each operation. */\nexport interface OperationTypes {${lines(signatures)}\n}`,
    'export type OperationName = keyof OperationTypes;',
    "export interface OperationRoute {\n  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';\n  readonly path: string;\n}",
    `/** Where each operation lives. */\nexport const operations: Readonly<Record<OperationName, OperationRoute>> = {${lines(catalogue.operations.map(route))}\n};`,
    `/** The HTTP status of each code. */\nexport const errorStatuses: Readonly<Record<ErrorCode, number>> = {${lines(
      Object.entries(errorCatalogue).map(([code, { status }]) => `  ${code}: ${status},`),
    )}\n};`,
    '',
  ].join('\n\n');
}

/** Prints types and remembers which named ones they use, so that only those are declared. */
function createPrinter(catalogue: Catalogue) {
  const used = new Map<string, TSchema>();
  const nameOf = (schema: TSchema): string | undefined => {
    const row = pageRow(schema);
    if (row) return `Page<${nameOf(row) ?? schemaToTypeScript(row, options)}>`;
    const name = catalogue.nameOf(schema);
    if (name !== undefined && name !== 'ErrorCode') used.set(name, schema);
    return name;
  };
  const options = { nameOf, silent: catalogue.fieldDescriptions };
  const show = (schema: TSchema) => schemaToTypeScript(schema, options);
  return {
    show,
    name: (schema: TSchema) => nameOf(schema) ?? show(schema),
    // Printing a type can use further ones, so the list is walked until it stops growing.
    declarations(): string[] {
      const printed = new Map<string, string>();
      for (let before = -1; before !== used.size; ) {
        before = used.size;
        for (const [name, schema] of [...used]) if (!printed.has(name)) printed.set(name, declare(name, show(schema)));
      }
      return [...printed].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
    },
  };
}

function pageRow(schema: TSchema): TSchema | undefined {
  const { properties } = schema as { properties?: Record<string, TSchema> };
  const { items } = (properties?.items ?? {}) as { items?: TSchema };
  return properties && Object.keys(properties).join() === 'items,next' ? items : undefined;
}

function declare(name: string, text: string): string {
  // A union of objects begins with a brace too, and only a type can name it.
  if (text.startsWith('{') && !/^\} \| /m.test(text)) return `export interface ${name} ${text}`;
  return `export type ${name} =${text.startsWith('\n') ? '' : ' '}${text};`;
}

function route({ name, operation }: CatalogueEntry): string {
  for (const parameter of pathParameters(operation.path)) {
    if (!(parameter in operation.input.properties)) throw new Error(`${name}: its path needs a field ${parameter}.`);
  }
  return `  ${name}: { method: '${operation.method}', path: '${operation.path}' },`;
}

const isEmpty = ({ operation }: CatalogueEntry) => Object.keys(operation.input.properties).length === 0;
const inputName = (entry: CatalogueEntry) =>
  isEmpty(entry) ? 'Readonly<Record<string, never>>' : `${capital(entry.name)}Input`;
const outputName = (entry: CatalogueEntry) => `${capital(entry.name)}Output`;
const capital = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1);
const lines = (parts: readonly string[]) => parts.map((part) => `\n${part}`).join('');
