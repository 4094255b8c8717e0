import type { ServiceBusMessage, ServiceBusReceivedMessage } from '@azure/service-bus';
import { MESSAGE_CONTENT_TYPE } from '@twinkey/contracts';
import type { OutgoingMessage, ReceivedMessage } from './bus.js';

// The SDK stamps `Diagnostic-Id` only while a span records, and leaves one alone that is there. Ours is sent from
// an outbox, long after its span ended, so both spellings are set from what the outbox kept.
const TRACE_PARENT = 'traceparent';
const DIAGNOSTIC_ID = 'Diagnostic-Id';

export function toWire({ id, body, subject, traceparent, scheduledAt }: OutgoingMessage): ServiceBusMessage {
  return {
    messageId: id,
    body,
    contentType: MESSAGE_CONTENT_TYPE,
    ...(subject === undefined ? {} : { subject }),
    ...(scheduledAt === undefined ? {} : { scheduledEnqueueTimeUtc: scheduledAt }),
    ...(traceparent === undefined
      ? {}
      : { applicationProperties: { [TRACE_PARENT]: traceparent, [DIAGNOSTIC_ID]: traceparent } }),
  };
}

export function fromWire(message: ServiceBusReceivedMessage, abandoned: AbortSignal): ReceivedMessage {
  const traceparent =
    message.applicationProperties?.[TRACE_PARENT] ?? message.applicationProperties?.[DIAGNOSTIC_ID];
  return {
    id: idOf(message),
    body: message.body as unknown,
    ...(message.subject === undefined ? {} : { subject: message.subject }),
    ...(typeof traceparent === 'string' ? { traceparent } : {}),
    deliveryCount: deliveryOf(message),
    enqueuedAt: message.enqueuedTimeUtc ?? new Date(0),
    abandoned,
  };
}

/** Other senders may use numbers or nothing; the broker gives the latter an id of its own. */
export function idOf({ messageId }: ServiceBusReceivedMessage): string {
  return messageId instanceof Buffer ? messageId.toString('hex') : String(messageId ?? '');
}

/** AMQP counts the failed deliveries before this one. */
export function deliveryOf({ deliveryCount }: ServiceBusReceivedMessage): number {
  return (deliveryCount ?? 0) + 1;
}
