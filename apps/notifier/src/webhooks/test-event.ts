import { randomBytes } from 'node:crypto';
import { ConsumerName, defineMessage, writeMessage } from '@twinkey/contracts';
import { z } from 'zod';

/** What a person sends to see whether an endpoint hears: it is about no account, and nothing waits for it. */
const WebhookTest = defineMessage({
  type: 'com.twinkey.webhook.test',
  entity: 'webhook',
  data: z.object({ consumer: ConsumerName }),
});

/** A new test for the endpoint of that consumer; each is an event of its own. */
export function testEvent(consumer: ConsumerName, time: Date): { event: string; body: string } {
  const id = `wt-${randomBytes(8).toString('hex')}`;
  const message = writeMessage(WebhookTest, {
    id,
    source: 'twinkey/notifier',
    subject: consumer,
    time,
    data: { consumer },
  });
  return { event: id, body: JSON.stringify(message) };
}
