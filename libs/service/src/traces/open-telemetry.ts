// The only file that loads OpenTelemetry, imported when an endpoint to send traces to is configured.
import {
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Context,
  type Link,
  type Span,
  type SpanContext,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  RandomIdGenerator,
  SimpleSpanProcessor,
  type SpanExporter,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { duringTrace } from '@twinkey/journal';
import { rotationTrace } from './rotation-trace.js';
import type { Tracing } from './span.js';

const KINDS = {
  internal: SpanKind.INTERNAL,
  client: SpanKind.CLIENT,
  consumer: SpanKind.CONSUMER,
  producer: SpanKind.PRODUCER,
} as const;

/** At the end of a process a collector that does not answer is not waited for. */
const FLUSH_WITHIN_MS = 2_000;

/** Sends spans to a collector that speaks OTLP over HTTP; headers and limits are read from the usual OTEL_ variables. */
export function traceToCollector(service: string, endpoint: string): Tracing {
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces` });
  return traceTo(service, new BatchSpanProcessor(exporter));
}

/** Hands each span to an exporter as it ends. */
export function traceAtOnce(service: string, exporter: SpanExporter): Tracing {
  return traceTo(service, new SimpleSpanProcessor(exporter));
}

function traceTo(service: string, processor: SpanProcessor): Tracing {
  const ids = new Ids();
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({
      'service.name': `twinkey-${service}`,
      'service.namespace': 'twinkey',
    }),
    idGenerator: ids,
    spanProcessors: [processor],
  });
  provider.register({ propagator: null }); // what travels is the traceparent of our own messages
  const tracer = provider.getTracer('twinkey');

  return {
    within(name, { rotationId, traceparent, links = [], kind = 'internal' }, attributes, work) {
      const parent = parentOf(rotationId, traceparent);
      const above = trace.getSpanContext(parent);
      if (above === undefined) return work(); // it belongs to no trace, and begins none
      const options = {
        kind: KINDS[kind],
        attributes: {
          ...attributes,
          ...(rotationId === undefined ? {} : { 'twinkey.rotation': rotationId }),
        },
        links: linksTo(links, above.spanId),
      };
      const open = tracer.startSpan(name, options, parent);
      const inside = () => duringTrace(traceparentOf(open), work);
      return context.with(trace.setSpan(parent, open), inside).then(
        (result) => {
          open.end();
          return result;
        },
        (error: unknown) => {
          fail(open, error);
          open.end();
          throw error;
        },
      );
    },

    outside(work) {
      return context.with(ROOT_CONTEXT, () => duringTrace(undefined, work));
    },

    past(name, { rotationId, from, to, whole = false }, attributes) {
      const { traceId, spanId } = rotationTrace(rotationId);
      if (whole) ids.next = { traceId, spanId };
      const parent = whole ? ROOT_CONTEXT : below({ traceId, spanId });
      tracer
        .startSpan(
          name,
          { startTime: from, attributes: { ...attributes, 'twinkey.rotation': rotationId } },
          parent,
        )
        .end(to);
      ids.next = null;
    },

    async stop() {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, FLUSH_WITHIN_MS);
      });
      await Promise.race([provider.shutdown().catch(() => undefined), late]);
      clearTimeout(timer);
      trace.disable();
      context.disable();
    },
  };
}

/** In the trace of the rotation; the message that brought the work may say where in it. Else where the work runs. */
function parentOf(rotationId: string | undefined, traceparent: string | undefined): Context {
  const said = traceparent === undefined ? null : spanContextOf(traceparent);
  if (rotationId !== undefined) {
    const { traceId, spanId } = rotationTrace(rotationId);
    const active = trace.getSpanContext(context.active()) ?? null;
    const within = [said, active].find((each) => each?.traceId === traceId);
    return below(within ?? { traceId, spanId });
  }
  return said === null ? context.active() : below(said);
}

function below({ traceId, spanId }: Pick<SpanContext, 'traceId' | 'spanId'>): Context {
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  });
}

/** What is the parent already needs no link. */
function linksTo(traceparents: readonly string[], parent: string): Link[] {
  return traceparents
    .map(spanContextOf)
    .flatMap((linked) => (linked === null || linked.spanId === parent ? [] : [{ context: linked }]));
}

function spanContextOf(traceparent: string): SpanContext | null {
  const [, traceId = '', spanId = '', flags = ''] =
    /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceparent) ?? [];
  if (traceId === '') return null;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}

function traceparentOf(open: Span): string {
  const { traceId, spanId, traceFlags } = open.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

/** The code of a fault and no word of its message: that may quote what others answered. */
function fail(open: Span, error: unknown): void {
  const { code } = error as { readonly code?: unknown };
  const name = error instanceof Error ? error.name : 'unknown';
  const fault = typeof code === 'string' && /^[\w-]{1,64}$/.test(code) ? code : name;
  open.setAttribute('twinkey.fault', fault);
  open.setStatus({ code: SpanStatusCode.ERROR, message: fault });
}

/** Random ids; the span of a whole rotation gets the one under which everybody has put theirs already. */
class Ids {
  next: { readonly traceId: string; readonly spanId: string } | null = null;
  readonly #random = new RandomIdGenerator();

  generateTraceId(): string {
    return this.next?.traceId ?? this.#random.generateTraceId();
  }

  generateSpanId(): string {
    return this.next?.spanId ?? this.#random.generateSpanId();
  }
}
