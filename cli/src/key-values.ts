import { UsageError } from './usage-error.ts';

/** Reads `-v name=value` and Fabric's `-v=#name:value`. The value is kept byte for byte. */
export function parseVariables(texts: readonly string[]): Record<string, string> {
  return pairs(texts, /^#?([A-Za-z_][A-Za-z0-9_-]*)[=:](.*)$/s, '-v name=value');
}

/** Reads `--metadata key=value`. */
export function parseMetadata(texts: readonly string[]): Record<string, string> {
  return pairs(texts, /^([A-Za-z0-9_.-]+)=(.*)$/s, '--metadata key=value');
}

function pairs(texts: readonly string[], form: RegExp, usage: string): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, name, value] = form.exec(text) ?? [];
      if (name === undefined || value === undefined) throw new UsageError(`'${text}' is not of the form ${usage}.`);
      return [name, value];
    }),
  );
}
