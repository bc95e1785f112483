import type { DataPath, PlannedText, Reference } from './chain-plan.ts';

/** How a step ended, for the steps after it. */
export interface StepOutcome {
  /** Null: it was skipped, and what refers to it finds nothing. */
  readonly output: string | null;
  /** The answer as a value: of JSON, of a list of items, of a decision. */
  readonly data?: unknown;
}

/** What the references of one chain can see. */
export interface ChainScope {
  readonly input: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Steps of the same chain that have ended. */
  readonly steps: ReadonlyMap<string, StepOutcome>;
  /** Set within an item of `for_each`. */
  readonly item?: unknown;
  readonly index?: number;
}

/** The value that a reference names; undefined where there is none. */
export function resolveReference(reference: Reference, scope: ChainScope): unknown {
  switch (reference.from) {
    case 'input':
      return scope.input;
    case 'variable':
      return Object.hasOwn(scope.variables, reference.name) ? scope.variables[reference.name] : undefined;
    case 'output':
      return scope.steps.get(reference.step)?.output ?? undefined;
    case 'data': {
      const outcome = scope.steps.get(reference.step);
      return outcome?.output === null ? undefined : follow(outcome?.data, reference.path);
    }
    case 'item':
      return follow(scope.item, reference.path);
    case 'index':
      return scope.index;
  }
}

/** A text of a step. Undefined: it has references, none of which found anything, so there is nothing to say. */
export function resolveText(text: PlannedText, scope: ChainScope): string | undefined {
  const found: string[] = [];
  let referred = false;
  let reached = false;
  for (const part of text) {
    if ('text' in part) {
      found.push(part.text);
      continue;
    }
    referred = true;
    const value = resolveReference(part, scope);
    if (value === undefined || value === null) continue;
    reached = true;
    found.push(toText(value));
  }
  return referred && !reached ? undefined : found.join('\n\n');
}

/** The entries that `for_each` goes through. Undefined: there is nothing; null: there is something else than a list. */
export function resolveList(reference: Reference, scope: ChainScope): readonly unknown[] | null | undefined {
  const value = resolveReference(reference, scope);
  if (value === undefined || value === null) return undefined;
  return Array.isArray(value) ? value : null;
}

/** A value as the text that a model reads: texts as they are, all else as JSON. */
export function toText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

// Own fields only: what a model answers must not reach into what every object has.
function follow(value: unknown, path: DataPath): unknown {
  let at = value;
  for (const key of path) {
    if (typeof key === 'number') at = Array.isArray(at) ? at[key] : undefined;
    else if (typeof at === 'object' && at !== null && !Array.isArray(at) && Object.hasOwn(at, key)) {
      at = (at as Record<string, unknown>)[key];
    } else return undefined;
  }
  return at;
}
