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

/** All bounds in a table, with what became of them. */
export function showBounds(bounds: readonly Bound[]): string {
  const verdict = (met: boolean | null) => (met === null ? '-' : met ? 'yes' : '**no**');
  const rows = bounds.map(({ what, bound, measured, met }) => `| ${what} | ${bound} | ${measured} | ${verdict(met)} |`);
  return ['| what | bound | measured | met |', '|---|---:|---:|---|', ...rows].join('\n');
}
