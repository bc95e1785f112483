import { plainName } from './parse-filter.ts';

interface Shown {
  readonly attributes?: string;
  readonly excludedAttributes?: string;
}

/** `schemas` and `id` are always there (RFC 7643, 7). Parts such as `name.givenName` stand for the whole. */
export function showOnly<Resource extends object>(
  resource: Resource,
  { attributes, excludedAttributes }: Shown,
): Resource {
  const only = namesIn(attributes);
  const but = namesIn(excludedAttributes);
  if (only.size === 0 && but.size === 0) return resource;
  return Object.fromEntries(
    Object.entries(resource).filter(([name]) => {
      if (name === 'schemas' || name === 'id') return true;
      const lower = name.toLowerCase();
      return (only.size === 0 || only.has(lower)) && !but.has(lower);
    }),
  ) as Resource;
}

function namesIn(list = ''): Set<string> {
  const names = list.split(',').map((name) => plainName(name.trim()).split('.')[0] as string);
  return new Set(names.filter((name) => name !== ''));
}
