import type { Around } from '@twinkey/nest-service-bus';
import { rotationIn } from './rotation-trace.js';
import { isTracing, span } from './span.js';

/**
 * A span around the handling of each message that belongs to a trace: that of the rotation it is about, else the one
 * that it came with. Signs of life and the like belong to none, and would be most of all spans.
 */
export const traceHandling: Around = (message, type, handle) => {
  if (!isTracing()) return handle();
  const rotationId = rotationIn(message.body);
  const { traceparent } = message;
  if (type === undefined || (rotationId === undefined && traceparent === undefined)) return handle();
  return span(
    `handle ${type}`,
    { rotationId, traceparent, links: traceparent === undefined ? [] : [traceparent], kind: 'consumer' },
    {
      'messaging.system': 'servicebus',
      'messaging.message.id': message.id,
      'twinkey.deliveries': message.deliveryCount,
    },
    handle,
  );
};
