// Spans, as services ask for them. While nobody collects traces, a span is its work and nothing else, and nothing of
// OpenTelemetry is loaded.

/** Where a span belongs. */
export interface SpanPlace {
  /** The rotation in whose trace it stands, below the span of the whole rotation unless `traceparent` says where. */
  readonly rotationId?: string | undefined;
  /** W3C trace parent of what caused it. */
  readonly traceparent?: string | undefined;
  /** What else caused it: it is linked, for a span has one parent. */
  readonly links?: readonly string[];
  readonly kind?: 'internal' | 'client' | 'consumer' | 'producer';
}

/** Never a key, a token, a connection string or words of others: a span leaves the installation. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** Who makes spans of what it is given. */
export interface Tracing {
  within<Result>(
    name: string,
    place: SpanPlace,
    attributes: SpanAttributes,
    work: () => Promise<Result>,
  ): Promise<Result>;
  outside<Result>(work: () => Promise<Result>): Promise<Result>;
  past(name: string, place: PastPlace, attributes: SpanAttributes): void;
  stop(): Promise<void>;
}

export interface PastPlace {
  readonly rotationId: string;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** It is the span of the whole rotation. */
  readonly whole?: boolean;
}

let tracing: Tracing | null = null;

/** Has all spans of this process made by `next`; null ends it. */
export function traceBy(next: Tracing | null): void {
  tracing = next;
}

/**
 * Runs `work` within a span. What it resolves with or throws passes untouched. A span that belongs to no trace, by its
 * place or by where it runs, is not made.
 */
export function span<Result>(
  name: string,
  place: SpanPlace,
  attributes: SpanAttributes,
  work: () => Promise<Result>,
): Promise<Result> {
  return tracing === null ? work() : tracing.within(name, place, attributes, work);
}

/** Runs `work` in no trace: whoever caused it may have been busy with something else. */
export function outsideTraces<Result>(work: () => Promise<Result>): Promise<Result> {
  return tracing === null ? work() : tracing.outside(work);
}

/** Tells of something that is over and took longer than a process may live. */
export function pastSpan(name: string, place: PastPlace, attributes: SpanAttributes): void {
  tracing?.past(name, place, attributes);
}

/** Does somebody collect traces? Only for what would be prepared in vain. */
export function isTracing(): boolean {
  return tracing !== null;
}
