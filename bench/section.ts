/** What a bound of the platform was measured to be. */
export interface Bound {
  readonly what: string;
  readonly bound: string;
  readonly measured: string;
  readonly met: boolean | null;
}

/** One part of the page. */
export interface Section {
  readonly text: string;
  readonly bounds: readonly Bound[];
}
