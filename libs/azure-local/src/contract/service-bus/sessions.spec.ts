import { describe, expect, it } from '@jest/globals';
import { bodies, briefly, busContract, lockMs, next, numberOf, soon, take, unrenewed } from './bus.js';

busContract('sessions', (bus) => {
  const queueWith = async (...messages: [sessionId: string, body: unknown][]) => {
    const queue = await bus().queue({ requiresSession: true });
    if (messages.length > 0) {
      await bus()
        .client.createSender(queue)
        .sendMessages(messages.map(([sessionId, body]) => ({ sessionId, body })));
    }
    return queue;
  };
  const accept = (queue: string, id: string) => bus().client.acceptSession(queue, id, unrenewed);

  describe('a session', () => {
    it('has its own messages in their order, and no others', async () => {
      const queue = await queueWith(['a', 1], ['b', 2], ['a', 3], ['b', 4]);
      const [a, b] = [await accept(queue, 'a'), await accept(queue, 'b')];
      expect([a.sessionId, b.sessionId]).toEqual(['a', 'b']);
      expect(bodies(await take(a, 2))).toEqual([1, 3]);
      expect(bodies(await take(b, 2))).toEqual([2, 4]);
      expect(await a.receiveMessages(1, briefly)).toEqual([]);
      expect((await take(await reopened(a, queue, 'a'), 1))[0]).toMatchObject({ sessionId: 'a', body: 1 });
    });

    it('is held by one at a time, until that one lets go', async () => {
      const queue = await queueWith(['a', 1]);
      const holder = await accept(queue, 'a');
      await expect(accept(queue, 'a')).rejects.toMatchObject({ code: 'SessionCannotBeLocked' });
      await holder.close();
      expect((await accept(queue, 'a')).sessionId).toBe('a');
    });

    it('may have no messages, and waits for them', async () => {
      const queue = await queueWith();
      const session = await accept(queue, 'empty');
      const waiting = session.receiveMessages(1, soon);
      await bus().client.createSender(queue).sendMessages({ sessionId: 'empty', body: 1 });
      expect(bodies(await waiting)).toEqual([1]);
    });

    it('keeps a state that outlives its messages, until it is changed', async () => {
      const queue = await queueWith(['a', 1]);
      const session = await accept(queue, 'a');
      expect(await session.getSessionState()).toBeNull();
      await session.setSessionState({ step: 3, done: ['x'] });
      await session.completeMessage(await next(session));
      await session.close();
      const again = await accept(queue, 'a');
      expect(await again.getSessionState()).toEqual({ step: 3, done: ['x'] });
      await again.setSessionState('other');
      expect(await again.getSessionState()).toBe('other');
      await again.setSessionState(null);
      expect(await again.getSessionState()).toBeNull();
    });

    it('settles in all ways', async () => {
      const queue = await queueWith(['a', 1], ['a', 2], ['a', 3], ['a', 4]);
      const session = await accept(queue, 'a');
      const [one, two, three, four] = await take(session, 4);
      if (one === undefined || two === undefined || three === undefined || four === undefined)
        throw new Error();
      await session.completeMessage(one);
      await session.abandonMessage(two);
      await session.deferMessage(three);
      await session.deadLetterMessage(four, { deadLetterReason: 'why', deadLetterErrorDescription: '' });
      expect(await next(session)).toMatchObject({ body: 2, deliveryCount: 1 });
      const [deferred] = await session.receiveDeferredMessages(numberOf(three));
      expect(deferred).toMatchObject({ body: 3, sessionId: 'a' });
      const letters = bus().client.createReceiver(queue, { ...unrenewed, subQueueType: 'deadLetter' });
      expect(await next(letters)).toMatchObject({ body: 4, sessionId: 'a', deadLetterReason: 'why' });
    });

    it('shows only its own when it is looked at without locks', async () => {
      const queue = await queueWith(['a', 1], ['b', 2], ['a', 3]);
      const session = await accept(queue, 'a');
      expect(bodies(await session.peekMessages(5))).toEqual([1, 3]);
    });
  });

  describe('the lock on a session', () => {
    it('ends when it is not renewed: what was not settled is counted and free', async () => {
      const queue = await queueWith(['a', 1]);
      const session = await accept(queue, 'a');
      const message = await next(session);
      await bus().pass(lockMs + 1000);
      while (!session.isClosed) await new Promise((resolve) => setImmediate(resolve));
      await expect(session.completeMessage(message)).rejects.toMatchObject({ code: 'SessionLockLost' });
      await expect(session.renewSessionLock()).rejects.toMatchObject({ code: 'SessionLockLost' });
      const after = await accept(queue, 'a');
      expect(await next(after)).toMatchObject({ body: 1, deliveryCount: 1 });
    });

    it('goes on when it is renewed, and the locks on its messages with it', async () => {
      const queue = await queueWith(['a', 1]);
      const session = await accept(queue, 'a');
      const message = await next(session);
      for (let n = 0; n < 3; n += 1) {
        await bus().pass(lockMs - 2000);
        const until = await session.renewSessionLock();
        expect(until.getTime() - bus().now()).toBeGreaterThan(lockMs - 1500);
        expect(session.sessionLockedUntilUtc).toEqual(until);
      }
      await session.completeMessage(message);
      expect(await session.receiveMessages(1, briefly)).toEqual([]);
    });
  });

  describe('the next session', () => {
    it('is any that has messages and that nobody holds, each once', async () => {
      const queue = await queueWith(['a', 1], ['b', 2], ['c', 3]);
      await accept(queue, 'b');
      const got = [
        await bus().client.acceptNextSession(queue, unrenewed),
        await bus().client.acceptNextSession(queue, unrenewed),
      ].map(({ sessionId }) => sessionId);
      expect(got.toSorted()).toEqual(['a', 'c']);
    });

    it('is waited for until one has messages', async () => {
      const queue = await queueWith();
      const waiting = bus().client.acceptNextSession(queue, unrenewed);
      await bus().client.createSender(queue).sendMessages({ sessionId: 'late', body: 1 });
      const session = await waiting;
      expect(session.sessionId).toBe('late');
      expect(bodies(await session.receiveMessages(1, soon))).toEqual([1]);
    });

    it('is not waited for longer than the client says', async () => {
      const queue = await queueWith();
      const impatient = bus().target.client({ timeoutInMs: 1500 });
      await expect(impatient.acceptNextSession(queue)).rejects.toMatchObject({
        code: 'ServiceTimeout',
        retryable: true,
      });
      await impatient.close();
    });
  });

  describe('a queue with sessions', () => {
    it('takes no message without a session, and no receiver without one', async () => {
      const queue = await queueWith();
      await expect(bus().client.createSender(queue).sendMessages({ body: 1 })).rejects.toMatchObject({
        name: 'ServiceBusError',
        retryable: false,
      });
      await expect(
        bus().client.createReceiver(queue, unrenewed).receiveMessages(1, briefly),
      ).rejects.toMatchObject({ name: 'ServiceBusError', retryable: false });
    });

    it('is the only kind that has sessions', async () => {
      const plain = await bus().queue();
      await expect(accept(plain, 'a')).rejects.toThrow();
    });
  });

  const reopened = async (session: Awaited<ReturnType<typeof accept>>, queue: string, id: string) => {
    await session.close();
    return await accept(queue, id);
  };
});
