/**
 * Metrics in the text format of Prometheus (version 0.0.4), as few of them as an agent has: a library for it would be a
 * quarter of the prober's memory.
 */
export type Labels = Readonly<Record<string, string>>;

interface Family {
  /** The lines of one metric, with its HELP and TYPE. */
  lines(): readonly string[];
}

export interface Gauge<L extends string> extends Family {
  set(labels: Readonly<Record<L, string>>, value: number): void;
  /** Forgets every series: those that are not set again are gone. */
  clear(): void;
}

export interface Counter<L extends string> extends Family {
  add(labels: Readonly<Record<L, string>>, value?: number): void;
}

export interface Histogram<L extends string> extends Family {
  observe(labels: Readonly<Record<L, string>>, value: number): void;
}

/** `labelled`: no series before the first value; else it is there from the beginning and says 0. */
export function gauge<L extends string = never>(name: string, help: string, labelled = false): Gauge<L> {
  const series = seriesOf(labelled);
  return {
    set: (labels, value) => void series.set(labelText(labels), value),
    clear: () => series.clear(),
    lines: () => family(name, help, 'gauge', lines(name, series)),
  };
}

export function counter<L extends string = never>(name: string, help: string, labelled = false): Counter<L> {
  const series = seriesOf(labelled);
  return {
    add(labels, value = 1) {
      const key = labelText(labels);
      series.set(key, (series.get(key) ?? 0) + value);
    },
    lines: () => family(name, help, 'counter', lines(name, series)),
  };
}

/** `bounds` ascend; the bucket of everything comes by itself. */
export function histogram<L extends string>(name: string, help: string, bounds: readonly number[]): Histogram<L> {
  const series = new Map<string, { readonly labels: Labels; readonly counts: number[]; sum: number; count: number }>();
  return {
    observe(labels, value) {
      const key = labelText(labels);
      const known = series.get(key) ?? { labels, counts: bounds.map(() => 0), sum: 0, count: 0 };
      series.set(key, known);
      // Each in the first bucket that holds it; the sums over buckets are made when somebody asks.
      const at = bounds.findIndex((bound) => value <= bound);
      if (at >= 0) known.counts[at] = (known.counts[at] ?? 0) + 1;
      known.sum += value;
      known.count += 1;
    },
    lines: () =>
      family(
        name,
        help,
        'histogram',
        [...series].flatMap(([key, { labels, counts, sum, count }]) => {
          let below = 0;
          const buckets = bounds.map((bound, i) => {
            below += counts[i] ?? 0;
            return `${name}_bucket${labelText({ le: String(bound), ...labels })} ${below}`;
          });
          return [
            ...buckets,
            `${name}_bucket${labelText({ le: '+Inf', ...labels })} ${count}`,
            `${name}_sum${key} ${sum}`,
            `${name}_count${key} ${count}`,
          ];
        }),
      ),
  };
}

/** A whole answer to a scrape. */
export function exposition(families: readonly Family[]): string {
  return families.map((each) => `${each.lines().join('\n')}\n`).join('\n');
}

function seriesOf(labelled: boolean): Map<string, number> {
  return new Map(labelled ? [] : [['', 0]]);
}

function family(name: string, help: string, type: string, values: readonly string[]): readonly string[] {
  return [
    `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
    `# TYPE ${name} ${type}`,
    ...values,
  ];
}

function lines(name: string, series: ReadonlyMap<string, number>): readonly string[] {
  return [...series].map(([key, value]) => `${name}${key} ${value}`);
}

/** `{a="b",c="d"}`, or nothing. Names are ours; values may be anything. */
function labelText(labels: Labels): string {
  const all = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return all.length === 0 ? '' : `{${all.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
