import type { Parameters } from '@damask/contracts/parameters.ts';
import { defaultSettings } from '@damask/contracts/pattern-settings.ts';
import { boundaryOf } from '../guard/data-boundary.ts';
import { createOutputChecks, type OutputChecks } from '../guard/output-checks.ts';
import { canaryLine } from '../guard/prompt-leak.ts';
import { type ClassedVariable, listClassed } from '../privacy/data-class.ts';
import type { MessageGuards } from './build-messages.ts';
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
  /** Null where the pattern has no checks. */
  readonly outputChecks: OutputChecks | null;
  /** Null where its messages are just its text and the input. */
  readonly guards: MessageGuards | null;
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
  let outputChecks: OutputChecks | null = null;
  const version: LibraryVersion = {
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
    guards: guardsOf(settings, digest),
    get outputChecks() {
      return outputChecks;
    },
  };
  if (settings.checks.length > 0) outputChecks = createOutputChecks(version);
  return version;
}

function guardsOf(
  { checks, mark_input }: Pick<RunSettings, 'checks' | 'mark_input'>,
  digest: string,
): MessageGuards | null {
  const leaks = checks.some(({ prompt_leak }) => prompt_leak);
  if (!mark_input && !leaks) return null;
  return {
    boundary: mark_input ? (request) => boundaryOf(digest, request) : null,
    canary: leaks ? canaryLine(digest) : null,
  };
}
