import type { Parameters } from '@damask/contracts/parameters.ts';
import { defaultSettings } from '@damask/contracts/pattern-settings.ts';
import { type ClassedVariable, listClassed } from '../privacy/data-class.ts';
import { type CompiledVersion, compileVersion } from './compile-version.ts';
import type { SharedText } from './shared-texts.ts';
import { fromStoredSettings } from './stored-settings.ts';
import type { RunSettings, TableVersionRow } from './table-store.ts';

/** A version as the run path uses it, ready for `buildMessages`. Its template is compiled at the first use. */
export interface LibraryVersion extends CompiledVersion, RunSettings {
  readonly number: number;
  readonly digest: string;
  readonly model: string | null;
  readonly parameters: Parameters;
  /** Variables that make a run's data class a higher one; null where there are none. */
  readonly classed: readonly ClassedVariable[] | null;
  /** Characters (UTF-16 units) of the text that it keeps in memory. */
  readonly characters: number;
}

const { owner: _, examples: __, ...defaults } = defaultSettings;

export function toLibraryVersion(row: TableVersionRow, shared: SharedText): LibraryVersion {
  const { number, digest, variables, literal_tokens, model, parameters, disabled_capabilities } = row;
  const settings = { ...defaults, ...fromStoredSettings(row.settings) };
  const { template, includes } = settings;
  let compiled: CompiledVersion | undefined;
  const compile = () => {
    const { text } = shared;
    compiled ??= compileVersion({ text, template, includes, variables, literal_tokens, disabled_capabilities });
    return compiled;
  };
  return {
    ...settings,
    number,
    digest,
    model,
    parameters,
    variables,
    classed: listClassed(settings.data_class, variables),
    disabledCapabilities: disabled_capabilities,
    characters: shared.text.length,
    get parts() {
      return compile().parts;
    },
    get inline() {
      return compile().inline;
    },
  };
}
