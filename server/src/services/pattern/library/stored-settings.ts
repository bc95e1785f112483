import { defaultSettings, type PatternSettings } from '@damask/contracts/pattern-settings.ts';

/**
 * Settings as their column holds them. jsonb forgets the order of fields, and models answer in the order of a schema:
 * schemas are kept as text.
 */
export interface StoredSettings extends Partial<Omit<PatternSettings, 'output' | 'tools'>> {
  readonly output?: Omit<PatternSettings['output'], 'schema'> & { readonly schema: string | null };
  readonly tools?: readonly (Omit<PatternSettings['tools'][number], 'parameters'> & { readonly parameters: string })[];
}

// Most versions say nothing beyond the defaults, and every row is read into memory.
export function toStoredSettings(settings: PatternSettings): StoredSettings {
  const { output, tools, ...rest } = Object.fromEntries(
    Object.entries(settings).filter(
      ([key, value]) => JSON.stringify(value) !== JSON.stringify(defaultSettings[key as keyof PatternSettings]),
    ),
  ) as Partial<PatternSettings>;
  return {
    ...rest,
    ...(output ? { output: { ...output, schema: output.schema && JSON.stringify(output.schema) } } : {}),
    ...(tools ? { tools: tools.map((tool) => ({ ...tool, parameters: JSON.stringify(tool.parameters) })) } : {}),
  };
}

export function fromStoredSettings({ output, tools, ...rest }: StoredSettings): Partial<PatternSettings> {
  return {
    ...rest,
    ...(output ? { output: { ...output, schema: output.schema === null ? null : JSON.parse(output.schema) } } : {}),
    ...(tools ? { tools: tools.map((tool) => ({ ...tool, parameters: JSON.parse(tool.parameters) })) } : {}),
  };
}
