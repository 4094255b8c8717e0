import type { ServiceBusMessage } from '@azure/service-bus';
import { describe, expect, it } from '@jest/globals';
import { bodies, briefly, busContract, lockMs, next, numberOf, soon, take, unrenewed } from './bus.js';

busContract('queues', (bus) => {
  const sender = (queue: string) => bus().client.createSender(queue);
  const receiver = (queue: string) => bus().client.createReceiver(queue, unrenewed);

  describe('a message', () => {
    it('arrives with everything that was put on it, and what the service adds', async () => {
      const queue = await bus().queue();
      const sent: ServiceBusMessage = {
        body: { text: 'ä €', list: [1, 2.5, null], nested: { deep: true } },
        messageId: 'one',
        contentType: 'application/json',
        correlationId: 'correlated',
        subject: 'subject',
        to: 'somewhere',
        replyTo: 'back',
        replyToSessionId: 'there',
        timeToLive: 3_600_000,
        applicationProperties: {
          text: 'x',
          whole: 7,
          fraction: 1.5,
          yes: true,
          at: new Date('2024-05-06T07:08:09.123Z'),
        },
      };
      await sender(queue).sendMessages(sent);
      const message = await next(receiver(queue));
      // The client reads times among the properties as numbers.
      const at = new Date('2024-05-06T07:08:09.123Z').getTime();
      expect(message).toMatchObject({
        ...sent,
        applicationProperties: { ...sent.applicationProperties, at },
      });
      expect(message).toMatchObject({
        deliveryCount: 0,
        state: 'active',
        lockToken: expect.stringMatching(/^[\da-f-]{36}$/),
      });
      expect(numberOf(message).toNumber()).toBeGreaterThan(0);
      expect(Math.abs((message.enqueuedTimeUtc?.getTime() ?? 0) - bus().now())).toBeLessThan(60_000);
      expect(message.expiresAtUtc?.getTime()).toBe((message.enqueuedTimeUtc?.getTime() ?? 0) + 3_600_000);
      expect((message.lockedUntilUtc?.getTime() ?? 0) - bus().now()).toBeGreaterThan(lockMs - 2000);
    });

    it.each<[string, unknown]>([
      ['a text', 'plain'],
      ['a number', 42],
      ['nothing', null],
      ['a list', [1, 'two', { three: 3 }]],
      ['bytes', Buffer.from([0, 1, 2, 255])],
    ])('carries %s', async (_what, body) => {
      const queue = await bus().queue();
      await sender(queue).sendMessages({ body });
      expect((await next(receiver(queue))).body).toEqual(body);
    });

    it('has an id, whoever gives it', async () => {
      const queue = await bus().queue();
      await sender(queue).sendMessages([{ body: 1 }, { body: 2 }]);
      const [one, two] = await take(receiver(queue), 2);
      expect(one?.messageId).toMatch(/./);
      expect(two?.messageId).not.toBe(one?.messageId);
    });

    it('of AMQP keeps its sections', async () => {
      const queue = await bus().queue();
      await sender(queue).sendMessages({
        bodyType: 'sequence',
        body: [[1, 'two'], [3]],
        messageAnnotations: { 'x-mine': 'kept' },
        applicationProperties: { a: 1 },
        footer: { sum: 'abc' },
      });
      const raw = (await next(receiver(queue)))._rawAmqpMessage;
      expect(raw).toMatchObject({
        bodyType: 'sequence',
        body: { content: [[1, 'two'], [3]] },
        messageAnnotations: { 'x-mine': 'kept' },
        footer: { sum: 'abc' },
      });
    });

    it('arrives in the order of its sending', async () => {
      const queue = await bus().queue();
      const to = sender(queue);
      for (let n = 0; n < 10; n += 1) await to.sendMessages({ body: n });
      expect(bodies(await take(receiver(queue), 10))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    });

    it('is as large as the service allows, and no larger', async () => {
      const queue = await bus().queue();
      const large = Buffer.alloc(200_000, 7);
      const to = sender(queue);
      await expect(to.sendMessages({ body: Buffer.alloc(270_000) })).rejects.toMatchObject({
        code: 'MessageSizeExceeded',
        retryable: false,
      });
      await to.sendMessages({ body: large });
      expect(large.equals((await next(receiver(queue))).body as Buffer)).toBe(true);
    });
  });

  describe('a batch', () => {
    it('takes messages until it is full, and all of them arrive', async () => {
      const queue = await bus().queue();
      const to = sender(queue);
      const batch = await to.createMessageBatch();
      expect(batch.maxSizeInBytes).toBeGreaterThanOrEqual(262_144);
      let added = 0;
      while (batch.tryAddMessage({ body: 'x'.repeat(20_000), messageId: String(added) })) added += 1;
      expect(added).toBeGreaterThanOrEqual(10);
      await to.sendMessages(batch);
      const ids = (await take(receiver(queue), added)).map(({ messageId }) => messageId);
      expect(ids).toEqual(Array.from({ length: added }, (_, n) => String(n)));
    });
  });

  describe('a look without a lock', () => {
    it('shows messages in their order, changes nothing, and goes on where it ended', async () => {
      const queue = await bus().queue();
      await sender(queue).sendMessages([1, 2, 3].map((body) => ({ body })));
      const from = receiver(queue);
      const first = await from.peekMessages(2);
      expect(bodies(first)).toEqual([1, 2]);
      expect(first[0]).toMatchObject({ deliveryCount: 0, state: 'active' });
      expect(first[0]?.lockToken).toBeUndefined();
      expect(bodies(await from.peekMessages(2))).toEqual([3]);
      const again = await from.peekMessages(9, { fromSequenceNumber: numberOf(given(first[1])) });
      expect(bodies(again)).toEqual([2, 3]);
      expect(bodies(await take(from, 3))).toEqual([1, 2, 3]);
    });

    it('shows what somebody else holds', async () => {
      const queue = await bus().queue();
      await sender(queue).sendMessages({ body: 1 });
      const from = receiver(queue);
      await next(from);
      expect(bodies(await from.peekMessages(1))).toEqual([1]);
    });
  });

  describe('a scheduled message', () => {
    it('is not delivered before its time, whichever way it was scheduled', async () => {
      const queue = await bus().queue();
      const to = sender(queue);
      const due = new Date(bus().now() + 6000);
      await to.scheduleMessages([{ body: 'scheduled', messageId: 'a' }], due);
      await to.sendMessages({ body: 'sent', messageId: 'b', scheduledEnqueueTimeUtc: due });
      const from = receiver(queue);
      expect(await from.receiveMessages(1, briefly)).toEqual([]);
      expect(await from.peekMessages(5)).toMatchObject([{ state: 'scheduled' }, { state: 'scheduled' }]);
      await bus().pass(6500);
      const came = await take(from, 2);
      expect(bodies(came)).toEqual(expect.arrayContaining(['scheduled', 'sent']));
      for (const message of came) {
        expect(message.enqueuedTimeUtc?.getTime()).toBeGreaterThanOrEqual(due.getTime());
        expect(message.state).toBe('active');
      }
    });

    it('that is cancelled never comes, and cannot be cancelled again', async () => {
      const queue = await bus().queue();
      const to = sender(queue);
      const numbers = await to.scheduleMessages([{ body: 1 }, { body: 2 }], new Date(bus().now() + 4000));
      expect(numbers).toHaveLength(2);
      await to.cancelScheduledMessages(numbers);
      await expect(to.cancelScheduledMessages(given(numbers[0]))).rejects.toMatchObject({
        code: 'MessageNotFound',
      });
      await bus().pass(5000);
      expect(await receiver(queue).receiveMessages(1, briefly)).toEqual([]);
    });

    it('whose time is over comes at once', async () => {
      const queue = await bus().queue();
      await sender(queue).scheduleMessages({ body: 'late' }, new Date(bus().now() - 60_000));
      expect((await next(receiver(queue))).body).toBe('late');
    });
  });

  describe('a time to live', () => {
    it('ends the message without a trace', async () => {
      const queue = await bus().queue();
      await sender(queue).sendMessages({ body: 'milk', timeToLive: 2000 });
      await bus().pass(3000);
      const from = receiver(queue);
      expect(await from.receiveMessages(1, briefly)).toEqual([]);
      expect(await from.peekMessages(1)).toEqual([]);
    });

    it('ends it in the dead-letter queue if the queue says so', async () => {
      const queue = await bus().queue({ deadLetteringOnMessageExpiration: true });
      await sender(queue).sendMessages({ body: 'milk', timeToLive: 2000 });
      await bus().pass(3000);
      expect(await receiver(queue).receiveMessages(1, briefly)).toEqual([]);
      const letters = bus().client.createReceiver(queue, { ...unrenewed, subQueueType: 'deadLetter' });
      expect(await next(letters)).toMatchObject({ body: 'milk', deadLetterReason: 'TTLExpiredException' });
    });

    it('of the queue counts when it is shorter', async () => {
      const queue = await bus().queue({ defaultMessageTimeToLive: 'PT2S' });
      await sender(queue).sendMessages([{ body: 1 }, { body: 2, timeToLive: 3_600_000 }]);
      await bus().pass(3000);
      expect(await receiver(queue).receiveMessages(1, briefly)).toEqual([]);
    });
  });

  describe('a queue that detects duplicates', () => {
    it('takes one message of an id within the window', async () => {
      const queue = await bus().queue({
        requiresDuplicateDetection: true,
        duplicateDetectionHistoryTimeWindow: 'PT20S',
      });
      const to = sender(queue);
      await to.sendMessages([
        { body: 1, messageId: 'same' },
        { body: 2, messageId: 'same' },
        { body: 3, messageId: 'other' },
      ]);
      await to.sendMessages({ body: 4, messageId: 'same' });
      const from = bus().client.createReceiver(queue, { receiveMode: 'receiveAndDelete' });
      expect(bodies(await take(from, 2))).toEqual([1, 3]);
      expect(await from.receiveMessages(1, briefly)).toEqual([]);
      await to.sendMessages({ body: 5, messageId: 'same' });
      expect(await from.receiveMessages(1, briefly)).toEqual([]);
      await bus().pass(21_000);
      await to.sendMessages({ body: 6, messageId: 'same' });
      expect(bodies(await take(from, 1))).toEqual([6]);
    });
  });

  describe('a forwarding queue', () => {
    it('hands everything on, and its dead letters elsewhere', async () => {
      const last = await bus().queue();
      const morgue = await bus().queue();
      const first = await bus().queue({ forwardTo: last });
      const other = await bus().queue({ forwardDeadLetteredMessagesTo: morgue });
      await sender(first).sendMessages({ body: 'on', messageId: 'm', applicationProperties: { a: 1 } });
      expect(await next(receiver(last))).toMatchObject({
        body: 'on',
        messageId: 'm',
        applicationProperties: { a: 1 },
      });
      await sender(other).sendMessages({ body: 'bad' });
      const from = receiver(other);
      await from.deadLetterMessage(await next(from), {
        deadLetterReason: 'why',
        deadLetterErrorDescription: 'so',
      });
      expect(await next(receiver(morgue))).toMatchObject({ body: 'bad', deadLetterReason: 'why' });
    });
  });

  describe('a receiver', () => {
    it('drains: what it did not use is there for others at once', async () => {
      const queue = await bus().queue();
      const from = receiver(queue);
      expect(await from.receiveMessages(10, briefly)).toEqual([]);
      await sender(queue).sendMessages({ body: 1 });
      const other = receiver(queue);
      expect(bodies(await other.receiveMessages(1, soon))).toEqual([1]);
      expect(await from.receiveMessages(1, briefly)).toEqual([]);
    });

    it('hands messages to a handler, completes what succeeds and gives back what fails', async () => {
      const queue = await bus().queue({ maxDeliveryCount: 3 });
      await sender(queue).sendMessages(['good', 'bad'].map((body) => ({ body })));
      const seen: unknown[] = [];
      const from = receiver(queue);
      await new Promise<void>((resolve, reject) => {
        from.subscribe({
          processMessage: ({ body }) => {
            seen.push(body);
            if (seen.length === 4) resolve();
            return body === 'bad' ? Promise.reject(new Error('cannot')) : Promise.resolve();
          },
          processError: ({ error, errorSource }) => {
            if (errorSource !== 'processMessageCallback') reject(error);
            return Promise.resolve();
          },
        });
      });
      expect(seen.toSorted()).toEqual(['bad', 'bad', 'bad', 'good']);
      const letters = bus().client.createReceiver(queue, { ...unrenewed, subQueueType: 'deadLetter' });
      expect(await next(letters)).toMatchObject({
        body: 'bad',
        deadLetterReason: 'MaxDeliveryCountExceeded',
      });
      await from.close();
    });

    it('shares the messages with another one, and each is delivered once', async () => {
      const queue = await bus().queue();
      await sender(queue).sendMessages(Array.from({ length: 40 }, (_, body) => ({ body })));
      const [one, two] = [receiver(queue), receiver(queue)];
      const got = bodies([...(await take(one, 20)), ...(await take(two, 20))]);
      expect(new Set(got).size).toBe(40);
    });
  });
});

function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('There should have been one more.');
  return value;
}
