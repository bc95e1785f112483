import type { PatternSettings } from '@damask/contracts/pattern-settings.ts';
import { AppError } from '#platform/app-error.ts';
import { readJson } from '#platform/json-reader.ts';
import { faultOfJsonSchema } from '../yaml/check-json-schema.ts';

const charactersAllowed = 256 * 1024;
const limits = { maxDepth: 64, maxKeys: 10_000, maxValues: 20_000 };

type Tell = (path: string, line: number | null, detail: string) => void;

/** The schema of the output from a file of the folder; undefined after a problem was told. */
export function readSchemaFile(
  { path, line }: { readonly path: string; readonly line: number },
  textOf: (path: string) => string | undefined,
  tell: Tell,
): PatternSettings['output']['schema'] | undefined {
  const text = textOf(path);
  if (text === undefined) {
    tell('pattern.yaml', line, `output.schema names ${path}, which is not in the folder`);
    return undefined;
  }
  if (text.length > charactersAllowed) {
    tell(path, null, `a schema holds at most ${charactersAllowed} characters`);
    return undefined;
  }
  const { value, fault } = parse(text);
  if (fault !== undefined) {
    tell(path, null, fault);
    return undefined;
  }
  const wrong = typeof value === 'object' ? faultOfJsonSchema(value) : { pointer: '', detail: 'must be a schema' };
  if (wrong) tell(path, null, `${wrong.pointer === '' ? 'the schema' : wrong.pointer}: ${wrong.detail}`);
  return wrong ? undefined : (value as PatternSettings['output']['schema']);
}

function parse(text: string): { value?: unknown; fault?: string } {
  try {
    return { value: readJson(text, limits) };
  } catch (error) {
    const detail = error instanceof AppError ? error.message.replace(/^[^:]*: /, '').replace(/\.$/, '') : 'unreadable';
    return { fault: `is no strict JSON: ${detail}` };
  }
}
