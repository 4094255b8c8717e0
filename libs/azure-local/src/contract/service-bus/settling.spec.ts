import type { ServiceBusReceivedMessage, ServiceBusReceiver } from '@azure/service-bus';
import { describe, expect, it } from '@jest/globals';
import { bodies, briefly, busContract, lockMs, next, numberOf, soon, take, unrenewed } from './bus.js';

busContract('settling', (bus) => {
  const queueWith = async (...messages: unknown[]) => {
    const queue = await bus().queue();
    if (messages.length > 0) {
      await bus()
        .client.createSender(queue)
        .sendMessages(messages.map((body) => ({ body })));
    }
    return { queue, receiver: bus().client.createReceiver(queue, unrenewed) };
  };
  const deadLettersOf = (queue: string) =>
    bus().client.createReceiver(queue, { ...unrenewed, subQueueType: 'deadLetter' });
  const nothingLeft = async (receiver: ServiceBusReceiver) => {
    expect(await receiver.receiveMessages(1, briefly)).toEqual([]);
    expect(await receiver.peekMessages(10)).toEqual([]);
  };

  describe('a message that is completed', () => {
    it('is gone', async () => {
      const { receiver } = await queueWith('a');
      await receiver.completeMessage(await next(receiver));
      await nothingLeft(receiver);
    });

    it('cannot be settled again', async () => {
      const { receiver } = await queueWith('a');
      const message = await next(receiver);
      await receiver.completeMessage(message);
      await expect(receiver.completeMessage(message)).rejects.toThrow(/already settled|lock/i);
    });
  });

  describe('a message that is abandoned', () => {
    it('comes back at once, counted, with what was changed on it', async () => {
      const { receiver } = await queueWith('a');
      const first = await next(receiver);
      expect(first.deliveryCount).toBe(0);
      await receiver.abandonMessage(first, { attempt: 1, why: 'busy' });
      const again = await next(receiver);
      expect(again).toMatchObject({
        body: 'a',
        deliveryCount: 1,
        applicationProperties: { attempt: 1, why: 'busy' },
        messageId: first.messageId,
      });
      expect(again.sequenceNumber).toEqual(first.sequenceNumber);
      expect(again.lockToken).not.toBe(first.lockToken);
      await receiver.completeMessage(again);
    });

    it('too often is dead-lettered with that reason', async () => {
      const queue = await bus().queue({ maxDeliveryCount: 2 });
      await bus().client.createSender(queue).sendMessages({ body: 'poison' });
      const receiver = bus().client.createReceiver(queue, unrenewed);
      await receiver.abandonMessage(await next(receiver));
      await receiver.abandonMessage(await next(receiver));
      const letter = await next(deadLettersOf(queue));
      expect(letter).toMatchObject({ body: 'poison', deadLetterReason: 'MaxDeliveryCountExceeded' });
      await nothingLeft(receiver);
    });
  });

  describe('a message that is dead-lettered', () => {
    it('waits in the dead-letter queue with reason, description and more', async () => {
      const { queue, receiver } = await queueWith('a');
      await receiver.deadLetterMessage(await next(receiver), {
        deadLetterReason: 'unreadable',
        deadLetterErrorDescription: 'no such thing',
        seenBy: 'contract',
      });
      const letters = deadLettersOf(queue);
      const letter = await next(letters);
      expect(letter).toMatchObject({
        body: 'a',
        deadLetterReason: 'unreadable',
        deadLetterErrorDescription: 'no such thing',
        applicationProperties: {
          seenBy: 'contract',
          DeadLetterReason: 'unreadable',
          DeadLetterErrorDescription: 'no such thing',
        },
      });
      await letters.completeMessage(letter);
      await nothingLeft(letters);
    });

    it('is not counted there, and not dead-lettered from there', async () => {
      const { queue, receiver } = await queueWith('a');
      await receiver.deadLetterMessage(await next(receiver));
      const letters = deadLettersOf(queue);
      const letter = await next(letters);
      await letters.abandonMessage(letter);
      const again = await next(letters);
      expect(again.deliveryCount).toBe(letter.deliveryCount);
      await expect(letters.deadLetterMessage(again)).rejects.toMatchObject({ name: 'ServiceBusError' });
    });
  });

  describe('a message that is deferred', () => {
    it('is not delivered, is peeked as deferred, and is received by its number', async () => {
      const { receiver } = await queueWith('a', 'b');
      const first = await next(receiver);
      await receiver.deferMessage(first, { put: 'aside' });
      expect(bodies(await receiver.receiveMessages(5, briefly))).toEqual(['b']);
      const [peeked] = await receiver.peekMessages(1, { fromSequenceNumber: numberOf(first) });
      expect(peeked).toMatchObject({ body: 'a', state: 'deferred' });
      const [deferred] = await receiver.receiveDeferredMessages(numberOf(first));
      expect(deferred).toMatchObject({
        body: 'a',
        deliveryCount: 1,
        applicationProperties: { put: 'aside' },
      });
      await receiver.completeMessage(given(deferred));
      await expect(receiver.receiveDeferredMessages(numberOf(first))).rejects.toMatchObject({
        code: 'MessageNotFound',
      });
    });

    it('can be abandoned and deferred again, dead-lettered at last', async () => {
      const { queue, receiver } = await queueWith('a');
      const number = numberOf(await deferNext(receiver));
      const [once] = await receiver.receiveDeferredMessages(number);
      await receiver.abandonMessage(given(once));
      const [twice] = await receiver.receiveDeferredMessages(number);
      await receiver.deferMessage(given(twice));
      const [thrice] = await receiver.receiveDeferredMessages(number);
      await receiver.deadLetterMessage(given(thrice), {
        deadLetterReason: 'enough',
        deadLetterErrorDescription: '',
      });
      expect(await next(deadLettersOf(queue))).toMatchObject({ body: 'a', deadLetterReason: 'enough' });
    });
  });

  describe('a lock', () => {
    it('keeps others from the message until it ends, and then counts the delivery', async () => {
      const { queue, receiver } = await queueWith('a');
      const message = await next(receiver);
      const rival = bus().client.createReceiver(queue, unrenewed);
      expect(await rival.receiveMessages(1, briefly)).toEqual([]);
      await bus().pass(lockMs + 1000);
      const again = await next(rival);
      expect(again).toMatchObject({ body: 'a', deliveryCount: 1 });
      await expect(receiver.completeMessage(message)).rejects.toMatchObject({ code: 'MessageLockLost' });
      await rival.completeMessage(again);
    });

    it('that has ended is lost for every way to settle, and for renewal', async () => {
      const { receiver } = await queueWith('a', 'b', 'c', 'd', 'e');
      const held = await take(receiver, 5);
      await bus().pass(lockMs + 1000);
      const lost = { code: 'MessageLockLost', retryable: false };
      const at = (n: number) => given(held[n]);
      await expect(receiver.completeMessage(at(0))).rejects.toMatchObject(lost);
      await expect(receiver.abandonMessage(at(1))).rejects.toMatchObject(lost);
      await expect(receiver.deferMessage(at(2))).rejects.toMatchObject(lost);
      await expect(receiver.deadLetterMessage(at(3))).rejects.toMatchObject(lost);
      await expect(receiver.renewMessageLock(at(4))).rejects.toMatchObject(lost);
    });

    it('goes on when it is renewed', async () => {
      const { receiver } = await queueWith('a');
      const message = await next(receiver);
      for (let n = 0; n < 3; n += 1) {
        await bus().pass(lockMs - 2000);
        const until = await receiver.renewMessageLock(message);
        expect(until.getTime() - bus().now()).toBeGreaterThan(lockMs - 1500);
        expect(message.lockedUntilUtc).toEqual(until);
      }
      await receiver.completeMessage(message);
      await nothingLeft(receiver);
    });

    it('outlives the receiver that holds it', async () => {
      const { queue, receiver } = await queueWith('a');
      const message = await next(receiver);
      await receiver.close();
      const other = bus().client.createReceiver(queue, unrenewed);
      await other.completeMessage(message);
      await bus().pass(lockMs + 1000);
      await nothingLeft(other);
    });
  });

  describe('a receiver that takes without asking', () => {
    it('gets a message once, and has nothing to settle', async () => {
      const { queue } = await queueWith('a', 'b');
      const receiver = bus().client.createReceiver(queue, { receiveMode: 'receiveAndDelete' });
      const taken = await take(receiver, 2);
      expect(bodies(taken)).toEqual(['a', 'b']);
      await expect(receiver.completeMessage(given(taken[0]))).rejects.toThrow(/receiveAndDelete/);
      await nothingLeft(receiver);
    });

    it('takes no more than it asked for: the rest stays', async () => {
      const { queue } = await queueWith('a', 'b', 'c');
      const receiver = bus().client.createReceiver(queue, { receiveMode: 'receiveAndDelete' });
      expect(bodies(await receiver.receiveMessages(1, soon))).toEqual(['a']);
      await receiver.close();
      expect(bodies(await take(bus().client.createReceiver(queue, unrenewed), 2))).toEqual(['b', 'c']);
    });
  });
});

function given(message: ServiceBusReceivedMessage | undefined): ServiceBusReceivedMessage {
  if (message === undefined) throw new Error('A message should have come, and none did.');
  return message;
}

async function deferNext(receiver: ServiceBusReceiver): Promise<ServiceBusReceivedMessage> {
  const message = await next(receiver);
  await receiver.deferMessage(message);
  return message;
}
