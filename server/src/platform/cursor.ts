import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { AppError } from './app-error.ts';

/** What a cursor belongs to. One that was made for another scope is refused. */
export interface CursorScope {
  /** Name of the list: the operation. */
  readonly list: string;
  readonly workspace: string;
  /** Everything that decides which rows the list has, in one spelling: `JSON.stringify` of the filters. */
  readonly filter?: string;
}

/** Marks the place where the next page of a list begins. */
export interface Cursors {
  /** `position` is the sort key of the last row shown. */
  encode(scope: CursorScope, position: readonly string[]): string;
  /** Errors: `invalid_cursor` when it was not made here for this list, workspace and filter. */
  decode(scope: CursorScope, cursor: string): string[];
}

/** The contracts let a cursor be this long. */
const longest = 512;
const tagBytes = 16;

/** Cursors signed with the installation's secret: callers can read them but neither make nor move them. */
export function createCursors(secret: Uint8Array): Cursors {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'damask list cursor', 32));

  // JSON keeps the parts apart, whatever they hold.
  function sign({ list, workspace, filter }: CursorScope, body: Buffer): Buffer {
    const bound = JSON.stringify([list, workspace, filter ?? null]);
    return createHmac('sha256', key).update(`${bound}\n`).update(body).digest().subarray(0, tagBytes);
  }

  return {
    encode(scope, position) {
      const body = Buffer.from(JSON.stringify(position));
      const cursor = Buffer.concat([sign(scope, body), body]).toString('base64url');
      if (cursor.length > longest) throw new RangeError(`A cursor of ${scope.list} is longer than ${longest}`);
      return cursor;
    },
    decode(scope, cursor) {
      if (cursor.length > longest || !/^[\w-]+$/.test(cursor)) throw invalidCursor();
      const bytes = Buffer.from(cursor, 'base64url');
      const body = bytes.subarray(tagBytes);
      // Base64 has several spellings of the same bytes; only ours is taken.
      if (bytes.length <= tagBytes || bytes.toString('base64url') !== cursor) throw invalidCursor();
      if (!timingSafeEqual(bytes.subarray(0, tagBytes), sign(scope, body))) throw invalidCursor();
      return JSON.parse(body.toString()) as string[];
    },
  };
}

function invalidCursor(): AppError {
  return new AppError(
    'invalid_cursor',
    'This cursor is not one of this list with these filters. Take "next" of the page before, or start without a cursor.',
    { pointer: '/cursor' },
  );
}
