/** One series of a counter. */
export interface Tally {
  add(by?: number): void;
}
/** One series of a histogram. */
export interface Distribution {
  observe(value: number): void;
}
/** A metric by the values of its labels, in the order in which they were named; the series is made when it is first asked for. */
export interface Family<Series> {
  of(...values: string[]): Series;
}

/** A metric that can be written in Prometheus' text format. */
export interface Written<Series> extends Family<Series> {
  text(): string;
}

/**
 * Counters that cost a look-up and an addition. The client library hashes its labels at each call, which together took
 * as long as authentication, checks and expansion of a run.
 */
export function createCounter(name: string, help: string, labels: readonly string[]): Written<Tally> {
  const series = createSeries(labels, () => {
    let count = 0;
    return {
      add: (by = 1) => {
        count += by;
      },
      lines: (given) => [`${name}${braces(given)} ${count}`],
    };
  });
  return { of: series.of, text: () => page(name, help, 'counter', series.lines()) };
}

/** `bounds` ascend; what lies above the last counts into `+Inf`. */
export function createHistogram(
  name: string,
  help: string,
  labels: readonly string[],
  bounds: readonly number[],
): Written<Distribution> {
  const series = createSeries(labels, () => {
    const counts = new Array<number>(bounds.length + 1).fill(0);
    let sum = 0;
    return {
      observe(value: number) {
        let at = 0;
        while (at < bounds.length && value > (bounds[at] as number)) at += 1;
        counts[at] = (counts[at] as number) + 1;
        sum += value;
      },
      lines(given) {
        let total = 0;
        const buckets = counts.map((count, at) => {
          total += count;
          return `${name}_bucket${braces([...given, `le="${bounds[at] ?? '+Inf'}"`])} ${total}`;
        });
        return [...buckets, `${name}_sum${braces(given)} ${sum}`, `${name}_count${braces(given)} ${total}`];
      },
    };
  });
  return { of: series.of, text: () => page(name, help, 'histogram', series.lines()) };
}

function createSeries<Series>(
  labels: readonly string[],
  make: () => Series & { lines(given: readonly string[]): string[] },
): Family<Series> & { lines(): string[] } {
  const known = new Map<string, { readonly series: ReturnType<typeof make>; readonly given: readonly string[] }>();
  return {
    of(...values) {
      const key = values.length === 1 ? (values[0] as string) : values.join('\0');
      const found = known.get(key);
      if (found) return found.series;
      const given = labels.map((label, at) => `${label}="${escapeLabel(values[at] ?? '')}"`);
      const series = make();
      known.set(key, { series, given });
      return series;
    },
    lines: () => [...known.values()].flatMap(({ series, given }) => series.lines(given)),
  };
}

const braces = (labels: readonly string[]) => (labels.length === 0 ? '' : `{${labels.join(',')}}`);

const escapeLabel = (value: string) => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

function page(name: string, help: string, type: string, lines: readonly string[]): string {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines].join('\n');
}
