/** Collects a model's text. What the database and JSON cannot hold becomes U+FFFD, so that a paid answer is never lost. */
export interface OutputText {
  /** Takes a piece and answers what of it can go out now: half of a split character waits for the other half. */
  push(piece: string): string;
  /** Ends the text; answers the rest. */
  end(): string;
  readonly text: string;
  /** Bytes of the text in UTF-8. */
  readonly bytes: number;
  /** True when something had to be replaced. */
  readonly sanitised: boolean;
  /** More came than the text may hold; the rest was left out. */
  readonly full: boolean;
}

const replacement = '\uFFFD';

/** The first `most` characters as the database and JSON can hold them. */
export function storableText(text: string, most: number): string {
  return text.slice(0, most).toWellFormed().replaceAll('\0', replacement);
}

/** A text of `most` characters (UTF-16 units) at most. */
export function createOutputText(most = Number.POSITIVE_INFINITY): OutputText {
  let text = '';
  let bytes = 0;
  let held = '';
  let sanitised = false;
  let full = false;

  const clean = (piece: string): string => {
    if (piece.isWellFormed() && !piece.includes('\0')) return piece;
    sanitised = true;
    return storableText(piece, piece.length);
  };
  const cut = (piece: string): string => {
    if (full) return '';
    full = true;
    const left = most - text.length;
    const last = piece.charCodeAt(left - 1);
    // No half of a character stays behind.
    return piece.slice(0, last >= 0xd800 && last <= 0xdbff ? left - 1 : left);
  };
  const take = (piece: string): string => {
    const fit = clean(full || text.length + piece.length > most ? cut(piece) : piece);
    text += fit;
    bytes += Buffer.byteLength(fit);
    return fit;
  };

  return {
    push(piece) {
      let whole = held === '' ? piece : held + piece;
      held = '';
      const last = whole.charCodeAt(whole.length - 1);
      if (last >= 0xd800 && last <= 0xdbff) {
        held = whole.slice(-1);
        whole = whole.slice(0, -1);
      }
      return whole === '' ? '' : take(whole);
    },
    end() {
      const rest = held;
      held = '';
      return rest === '' ? '' : take(rest);
    },
    get text() {
      return text;
    },
    get bytes() {
      return bytes;
    },
    get full() {
      return full;
    },
    get sanitised() {
      return sanitised;
    },
  };
}
