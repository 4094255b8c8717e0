import type { Log } from '../log.js';
import type { Environment } from '@twinkey/settings';
import { traceBy, type SpanAttributes, type Tracing } from './span.js';

/** Collects traces when a collector is configured. Resolves with how to end it, in time for the last spans. */
export async function startTracing(
  service: string,
  environment: Environment,
  log: Log,
): Promise<() => Promise<void>> {
  const endpoint = environment['OTEL_EXPORTER_OTLP_ENDPOINT'];
  if (endpoint === undefined || endpoint === '') return () => Promise.resolve();
  const { traceToCollector } = await import('./open-telemetry.js');
  log.info({ endpoint: new URL(endpoint).origin }, 'Traces are sent');
  return begin(traceToCollector(service, endpoint));
}

/** A span that has ended. */
export interface EndedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly attributes: SpanAttributes;
  /** Span ids. */
  readonly links: readonly string[];
  readonly failed: boolean;
}

/** Hands spans to `hear` as they end, for whoever looks at traces inside of a process. Resolves with how to stop. */
export async function hearSpans(
  service: string,
  hear: (span: EndedSpan) => void,
): Promise<() => Promise<void>> {
  const { traceAtOnce } = await import('./open-telemetry.js');
  const tracing = traceAtOnce(service, {
    export: (spans, done) => {
      for (const ended of spans) {
        const { name, parentSpanContext, attributes, links, status } = ended;
        const { traceId, spanId } = ended.spanContext();
        hear({
          name,
          traceId,
          spanId,
          parentSpanId: parentSpanContext?.spanId,
          attributes: attributes as SpanAttributes, // ours have no lists
          links: links.map(({ context }) => context.spanId),
          failed: status.code === FAILED,
        });
      }
      done({ code: 0 });
    },
    shutdown: () => Promise.resolve(),
  });
  return begin(tracing);
}

/** What OpenTelemetry calls an error. */
const FAILED = 2;

function begin(tracing: Tracing): () => Promise<void> {
  traceBy(tracing);
  return () => {
    traceBy(null);
    return tracing.stop();
  };
}
