import { compileSteps, holds, type Step } from '../user-schema/linear-regexp.ts';

/** From where to before where. */
export type Span = readonly [start: number, end: number];

export interface ExpressionFinder {
  /** All that belongs to any match, in order; what overlaps is one. Takes time in proportion to the text. */
  find(text: string): Span[];
}

/** Steps of the machine of one expression. Each may cost a step for each character of a text. */
const mostSteps = 400;

/**
 * Finds what an expression of a stranger matches. All matches are followed side by side in one pass, and the longest ones are told,
 * so that no expression and no text can make it begin anew at each place. Throws a plain Error that says what is not possible.
 */
export function createExpressionFinder(source: string): ExpressionFinder {
  const steps = compileSteps(source);
  if (steps.length > mostSteps) throw new Error('it is too large; write it with fewer repetitions');
  const machine = new Machine(steps);
  if (machine.empty) throw new Error('it matches nothing at all, so it would be found everywhere');
  return { find: (text) => machine.find(text) };
}

const ascii = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));

class Machine {
  readonly #steps: readonly Step[];
  readonly #seen: Uint32Array;
  /** For each step and ASCII character: 0 not asked yet, 1 it fits, 2 it does not. */
  readonly #fits: (Uint8Array | undefined)[];
  /** ASCII characters that a match can begin with. */
  readonly #begins = new Uint8Array(128);
  readonly #next: Int32Array;
  readonly #from: Int32Array;
  readonly #waiting: Int32Array;
  readonly #starts: Int32Array;
  readonly #open: Int32Array;
  readonly empty: boolean;
  #round = 0;
  #reached = 0;

  constructor(steps: readonly Step[]) {
    this.#steps = steps;
    this.#seen = new Uint32Array(steps.length);
    this.#fits = steps.map(({ op }) => (op === 'character' ? new Uint8Array(128) : undefined));
    const lists = Array.from({ length: 4 }, () => new Int32Array(steps.length));
    [this.#next, this.#from, this.#waiting, this.#starts] = lists as [Int32Array, Int32Array, Int32Array, Int32Array];
    this.#open = new Int32Array(2 * steps.length + 2);
    this.#round = 1;
    // Whether an edge is here is not known yet, so each counts as one.
    this.empty = this.#follow(0, 0, '', '', false);
    const first = [...this.#next.subarray(0, this.#reached)];
    for (const [code, character] of ascii.entries()) {
      this.#begins[code] = first.some((place) => this.#test(place, character, code)) ? 1 : 0;
    }
  }

  find(text: string): Span[] {
    const spans: [number, number][] = [];
    // How many places of the machine wait for a character; the lists hold each with where its match began, the earliest first.
    let waiting = 0;
    let before = '';
    for (let at = 0; at <= text.length; ) {
      if (waiting === 0) {
        const from = at;
        while (this.#begins[text.charCodeAt(at)] === 0) at += 1;
        if (at > from) before = text.charAt(at - 1);
      }
      const code = at < text.length ? (text.codePointAt(at) as number) : -1;
      const character = code === -1 ? '' : code < 128 ? (ascii[code] as string) : String.fromCodePoint(code);
      this.#round += 1;
      this.#reached = 0;
      for (let index = 0; index <= waiting; index++) {
        const start = index === waiting ? at : (this.#starts[index] as number);
        const place = index === waiting ? 0 : (this.#waiting[index] as number);
        if (this.#follow(place, start, before, character)) note(spans, start, at);
      }
      if (code === -1) break;
      waiting = 0;
      for (let index = 0; index < this.#reached; index++) {
        const place = this.#next[index] as number;
        if (!this.#test(place, character, code)) continue;
        this.#waiting[waiting] = place + 1;
        this.#starts[waiting++] = this.#from[index] as number;
      }
      before = character;
      at += character.length;
    }
    return spans;
  }

  /** Follows what needs no character, and notes the places that need one. True where the match is complete. */
  #follow(place: number, start: number, before: string, after: string, edges = true): boolean {
    const open = this.#open;
    open[0] = place;
    let matched = false;
    for (let left = 1; left > 0; ) {
      const at = open[--left] as number;
      if (this.#seen[at] === this.#round) continue;
      this.#seen[at] = this.#round;
      const step = this.#steps[at] as Step;
      if (step.op === 'match') matched = true;
      else if (step.op === 'fork') {
        open[left++] = step.second;
        open[left++] = step.first;
      } else if (step.op === 'character') {
        this.#next[this.#reached] = at;
        this.#from[this.#reached++] = start;
      } else if (!edges || holds(step, before, after)) open[left++] = at + 1;
    }
    return matched;
  }

  #test(place: number, character: string, code: number): boolean {
    const step = this.#steps[place] as Step & { readonly op: 'character' };
    const known = code < 128 ? this.#fits[place] : undefined;
    if (!known) return step.test(character);
    if (known[code] === 0) known[code] = step.test(character) ? 1 : 2;
    return known[code] === 1;
  }
}

/** Matches come in the order of their ends; one that reaches back swallows those within it. */
function note(spans: [number, number][], start: number, end: number): void {
  if (start === end) return;
  let from = start;
  for (let last = spans.at(-1); last && last[1] > from; last = spans.at(-1)) {
    from = Math.min(from, last[0]);
    spans.pop();
  }
  spans.push([from, end]);
}
