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
  return new CollectedText(most);
}

// A class, since every run makes one: as closures it took a kilobyte.
class CollectedText implements OutputText {
  text = '';
  bytes = 0;
  sanitised = false;
  full = false;
  #held = '';
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  push(piece: string): string {
    let whole = this.#held === '' ? piece : this.#held + piece;
    this.#held = '';
    const last = whole.charCodeAt(whole.length - 1);
    if (last >= 0xd800 && last <= 0xdbff) {
      this.#held = whole.slice(-1);
      whole = whole.slice(0, -1);
    }
    return whole === '' ? '' : this.#take(whole);
  }

  end(): string {
    const rest = this.#held;
    this.#held = '';
    return rest === '' ? '' : this.#take(rest);
  }

  #take(piece: string): string {
    const fit = this.#clean(this.full || this.text.length + piece.length > this.#most ? this.#cut(piece) : piece);
    this.text += fit;
    this.bytes += Buffer.byteLength(fit);
    return fit;
  }

  #clean(piece: string): string {
    if (piece.isWellFormed() && !piece.includes('\0')) return piece;
    this.sanitised = true;
    return storableText(piece, piece.length);
  }

  #cut(piece: string): string {
    if (this.full) return '';
    this.full = true;
    const left = this.#most - this.text.length;
    const last = piece.charCodeAt(left - 1);
    // No half of a character stays behind.
    return piece.slice(0, last >= 0xd800 && last <= 0xdbff ? left - 1 : left);
  }
}
