/**
 * A large value cut into pieces, so that the thread that takes it over is never held for long: building 32 MiB of
 * strings at once would block it for tens of milliseconds.
 */
export type JsonPiece =
  | readonly [act: 'put', key: string, value: unknown]
  | readonly [act: 'text', key: string, part: string, last: boolean]
  | readonly [act: 'open', key: string, array: boolean]
  | readonly [act: 'close'];

/** Characters that one group of pieces may hold, about. */
const groupSize = 64 * 1024;

/** Yields groups of pieces, each small enough to be taken over in a millisecond or two. */
export function* cutJson(value: unknown): Generator<JsonPiece[]> {
  let group: JsonPiece[] = [];
  let size = 0;

  function* add(piece: JsonPiece, weight: number): Generator<JsonPiece[]> {
    group.push(piece);
    size += weight;
    if (size < groupSize) return;
    yield group;
    group = [];
    size = 0;
  }

  function* cut(key: string, part: unknown): Generator<JsonPiece[]> {
    const weight = weigh(part, groupSize);
    if (weight < groupSize) {
      yield* add(['put', key, part], weight);
    } else if (typeof part === 'string') {
      for (let at = 0; at < part.length; at += groupSize) {
        const last = at + groupSize >= part.length;
        yield* add(['text', key, part.slice(at, at + groupSize), last], Math.min(groupSize, part.length - at));
      }
    } else {
      yield* add(['open', key, Array.isArray(part)], 8);
      for (const [name, item] of Object.entries(part as object)) yield* cut(name, item);
      yield* add(['close'], 8);
    }
  }

  yield* cut('', value);
  if (group.length > 0) yield group;
}

/** Characters of a value, counted no further than `enough`. A value costs about as much as 32 characters. */
function weigh(value: unknown, enough: number): number {
  if (typeof value === 'string') return 32 + value.length;
  if (typeof value !== 'object' || value === null) return 32;
  let weight = 32;
  for (const key in value) {
    weight += 32 + key.length + weigh((value as Record<string, unknown>)[key], enough - weight);
    if (weight >= enough) break;
  }
  return weight;
}

export interface JsonBuilder {
  take(group: readonly JsonPiece[]): void;
  /** Call after the last group. */
  value(): unknown;
}

/** Puts the pieces together again. */
export function createJsonBuilder(): JsonBuilder {
  const root: Record<string, unknown> = {};
  const open: unknown[] = [root];
  let text = '';

  function put(key: string, value: unknown): void {
    const container = open[open.length - 1];
    if (Array.isArray(container)) container.push(value);
    else (container as Record<string, unknown>)[key] = value;
  }

  return {
    take(group) {
      for (const piece of group) {
        if (piece[0] === 'put') put(piece[1], piece[2]);
        else if (piece[0] === 'text') {
          text += piece[2];
          if (!piece[3]) continue;
          put(piece[1], text);
          text = '';
        } else if (piece[0] === 'open') {
          const container = piece[2] ? [] : {};
          put(piece[1], container);
          open.push(container);
        } else open.pop();
      }
    },
    value: () => root[''],
  };
}
