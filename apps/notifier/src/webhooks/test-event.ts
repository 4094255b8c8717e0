import { createHash, randomBytes } from 'node:crypto';
import { ConsumerName, defineMessage, writeMessage } from '@twinkey/contracts';
import { z } from 'zod';

/** What a person sends to see whether an endpoint hears: it is about no account, and nothing waits for it. */
const WebhookTest = defineMessage({
  type: 'com.twinkey.webhook.test',
  entity: 'webhook',
  data: z.object({ consumer: ConsumerName }),
});

/** The id of a test: one that is asked for under an idempotency key is always the same event. */
export function testEventId(key: string | undefined): string {
  const digits =
    key === undefined ? randomBytes(16).toString('hex') : createHash('sha256').update(key).digest('hex');
  return `wt-${digits.slice(0, 32)}`;
}

/** A test for the endpoint of that consumer. */
export function testEvent(consumer: ConsumerName, id: string, time: Date): { event: string; body: string } {
  const message = writeMessage(WebhookTest, {
    id,
    source: 'twinkey/notifier',
    subject: consumer,
    time,
    data: { consumer },
  });
  return { event: id, body: JSON.stringify(message) };
}
