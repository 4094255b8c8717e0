import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ServiceName } from '@twinkey/settings';
import {
  METRICS,
  type CounterName,
  type HistogramName,
  type LabelsOf,
  type MetricDefinition,
  type MetricName,
} from './catalogue.js';
import type { Metrics, Reading, Sample } from './metrics.js';

/** A scraper gives up after ten seconds; a slow database must not take the other metrics with it. */
const READ_WITHIN_MS = 2_000;
/** However many scrape, each query runs once in this time. */
const FRESH_FOR_MS = 5_000;

/** What prom-client takes; the catalogue is narrower. */
type Labels = Record<string, string>;

/** The metrics of one service in the text format of Prometheus. */
export class PrometheusMetrics implements Metrics {
  readonly #registry = new Registry();
  readonly #counters = new Map<MetricName, Counter>();
  readonly #gauges = new Map<MetricName, Gauge>();
  readonly #histograms = new Map<MetricName, Histogram>();
  readonly #readings: Refreshed[] = [];
  #processIsWatched = false;

  constructor(service: ServiceName) {
    for (const [name, definition] of Object.entries<MetricDefinition>(METRICS)) {
      if (definition.of.includes(service)) this.#make(name as MetricName, definition);
    }
  }

  count<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, by = 1): void {
    this.#counters.get(name)?.inc(labels as Labels, by);
  }

  observe<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, seconds: number): void {
    this.#histograms.get(name)?.observe(labels as Labels, seconds);
  }

  /** Has facts read at scrapes from now on. */
  readAtScrapes(readings: readonly Reading[]): void {
    this.#readings.push(...readings.map((reading) => new Refreshed(reading)));
  }

  /** What a scraper gets. Never rejects for a database that is away: what was to be read is left out and counted. */
  async scrape(): Promise<{ readonly type: string; readonly text: string }> {
    if (!this.#processIsWatched) collectDefaultMetrics({ register: this.#registry });
    this.#processIsWatched = true;
    await Promise.all(this.#readings.map((reading) => this.#show(reading)));
    return { type: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  async #show(refreshed: Refreshed): Promise<void> {
    const { name, gauges } = refreshed.reading;
    const samples = await refreshed.samples();
    if (samples === null) this.count('twinkey_scrape_failures_total', { reading: name });
    for (const gauge of gauges) this.#empty(gauge);
    for (const { gauge, labels, value } of samples ?? []) this.#gauges.get(gauge)?.set(labels, value);
  }

  /** `reset` gives a gauge without labels the value 0, and a fact that is not known is none. */
  #empty(name: MetricName): void {
    this.#gauges.get(name)?.reset();
    if (Object.keys(METRICS[name].labels).length === 0) this.#gauges.get(name)?.remove();
  }

  #make(name: MetricName, { type, what, labels, buckets }: MetricDefinition): void {
    const options = {
      name,
      help: `${what}.`,
      labelNames: Object.keys(labels),
      registers: [this.#registry],
    };
    if (type === 'gauge') {
      this.#gauges.set(name, new Gauge(options));
      this.#empty(name);
    } else if (type === 'histogram') {
      this.#histograms.set(name, new Histogram({ ...options, buckets: [...(buckets ?? [])] }));
    } else {
      const counter = new Counter(options);
      this.#counters.set(name, counter);
      // A series that begins with 1 never rose: without its 0 the first event would be invisible to `increase`.
      for (const known of combinations(labels)) counter.inc(known, 0);
    }
  }
}

/** Every combination of listed values; none when a label can be anything. */
function combinations(labels: MetricDefinition['labels']): readonly Record<string, string>[] {
  return Object.entries(labels).reduce<Record<string, string>[]>(
    (all, [label, values]) =>
      typeof values === 'string'
        ? []
        : all.flatMap((one) => values.map((value) => ({ ...one, [label]: value }))),
    [{}],
  );
}

/** A reading that is asked once at a time, seldom, and not waited for without end. */
class Refreshed {
  #running: Promise<readonly Sample[] | null> | undefined;
  #last: { readonly samples: readonly Sample[]; readonly at: number } | undefined;

  constructor(readonly reading: Reading) {}

  /** null: not to be had in time. */
  async samples(): Promise<readonly Sample[] | null> {
    if (this.#last !== undefined && performance.now() - this.#last.at < FRESH_FOR_MS)
      return this.#last.samples;
    this.#running ??= this.#read();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, READ_WITHIN_MS, null);
    });
    return Promise.race([this.#running, late]).finally(() => {
      clearTimeout(timer);
    });
  }

  async #read(): Promise<readonly Sample[] | null> {
    try {
      const samples = await this.reading.read();
      this.#last = { samples, at: performance.now() };
      return samples;
    } catch {
      return null; // readiness and the log say what is wrong with the database
    } finally {
      this.#running = undefined;
    }
  }
}
