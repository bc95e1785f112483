export const escapeStep = (step: string) => step.replaceAll('~', '~0').replaceAll('/', '~1');

/** What a reference such as `#/$defs/name` leads to; undefined when there is nothing. */
export function resolveReference(root: unknown, reference: string): unknown {
  let place: unknown = root;
  for (const step of reference.split('/').slice(1)) {
    const name = decodeStep(step);
    if (typeof place !== 'object' || place === null || !Object.hasOwn(place, name)) return undefined;
    place = (place as Record<string, unknown>)[name];
  }
  return place;
}

function decodeStep(step: string): string {
  let plain = step;
  try {
    plain = decodeURIComponent(step);
  } catch {
    // Not encoded: taken as it is written.
  }
  return plain.replaceAll('~1', '/').replaceAll('~0', '~');
}
