import type { CounterName, GaugeName, HistogramName, LabelsOf } from './catalogue.js';

/** Where a service counts what it does. Nothing here fails, waits or keeps more than the catalogue allows. */
export interface Metrics {
  count<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, by?: number): void;
  observe<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, seconds: number): void;
}

/** For whoever runs a service's parts and asks nobody how they do. */
export const NO_METRICS: Metrics = { count: () => undefined, observe: () => undefined };

/** One value of a gauge. */
export type Sample = {
  [Name in GaugeName]: { readonly gauge: Name; readonly labels: LabelsOf<Name>; readonly value: number };
}[GaugeName];

/**
 * Gauges that are facts of tables. They are read when somebody scrapes and not counted in memory: a count would be
 * wrong after a restart, and of two replicas each would know a part.
 */
export interface Reading {
  readonly name: string;
  readonly gauges: readonly GaugeName[];
  /** One cheap query. Every value of its gauges: what is left out is not shown. */
  readonly read: () => Promise<readonly Sample[]>;
}
