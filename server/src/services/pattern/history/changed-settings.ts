import type { SettingChange } from '@damask/contracts/history.ts';
import type { PatternVersion } from '@damask/contracts/pattern.ts';

const shown = 1000;

/** The settings in which two versions differ, by name. Values are JSON, cut at 1,000 characters. */
export function changedSettings(before: PatternVersion, after: PatternVersion): SettingChange[] {
  const [old, fresh] = [settingsOf(before), settingsOf(after)];
  return [...new Set([...old.keys(), ...fresh.keys()])]
    .filter((field) => old.get(field) !== fresh.get(field))
    .sort()
    .map((field) => ({ field, before: cut(old.get(field)), after: cut(fresh.get(field)) }));
}

function settingsOf(version: PatternVersion): Map<string, string> {
  const { title, description, tags, owner, language, template, models, fallbacks } = version;
  const { output, limits, data_class, store, on_uncertain, cache } = version;
  const fields: Record<string, unknown> = {
    ...{ title, description, tags, owner, language, template, models, fallbacks, data_class, store, on_uncertain },
    ...under('output', output),
    ...under('limits', limits),
    ...under('cache', cache ?? {}),
    ...under('parameters', version.parameters),
    ...under('variables', byName(version.variables)),
    ...under('tools', byName(version.tools)),
    ...Object.assign({}, ...version.steps.map((step) => under(`steps.${step.name}`, saidOf(step)))),
    ...under('examples', Object.fromEntries(version.examples.map((each, index) => [each.name ?? index + 1, each]))),
    ...under('includes', Object.fromEntries(version.includes.map((each) => [placeOf(each), each.version]))),
    literal_tokens: version.literal_tokens,
    disabled_capabilities: version.disabled_capabilities,
  };
  const said = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  return new Map(said.map(([field, value]) => [field, JSON.stringify(value)]));
}

const under = (name: string, fields: object) =>
  Object.fromEntries(Object.entries(fields).map(([field, value]) => [`${name}.${field}`, value]));

const unsaid = new Set(['null', '[]', '{}', '"fail"', '{"times":0,"wait_ms":1000}']);

/** What a step says beyond what every step says. */
function saidOf({ name: _, needs: __, max_items, parallel, ...step }: PatternVersion['steps'][number]): object {
  const many = step.for_each === null ? {} : { max_items, parallel };
  const parts = step.map_reduce === null ? {} : { parallel };
  const { times, wait_ms } = step.retry;
  const fields = Object.entries({ ...step, ...many, ...parts, retry: { times, wait_ms } });
  return Object.fromEntries(fields.filter(([, value]) => !unsaid.has(JSON.stringify(value))));
}

const byName = (entries: readonly { readonly name: string }[]) =>
  Object.fromEntries(entries.map(({ name, ...rest }) => [name, rest]));

function placeOf({ pattern, section, through }: PatternVersion['includes'][number]): string {
  return [...through, section === null ? pattern : `${pattern}#${section}`].join('/');
}

function cut(value: string | undefined): string | null {
  if (value === undefined) return null;
  return value.length > shown ? `${value.slice(0, shown - 1).toWellFormed()}…` : value;
}
