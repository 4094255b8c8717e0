import { describe, expect, it } from '@jest/globals';
import { uniqueName } from '../contract.js';
import { briefly, busContract, numberOf, soon, unrenewed } from './bus.js';

busContract('refusals', (bus) => {
  describe('an entity that is not there', () => {
    const missing = { code: 'MessagingEntityNotFound', retryable: false };

    it('is told so to senders and receivers alike', async () => {
      const name = uniqueName('missing');
      const { client } = bus();
      await expect(client.createSender(name).sendMessages({ body: 1 })).rejects.toMatchObject(missing);
      await expect(client.createReceiver(name, unrenewed).receiveMessages(1, soon)).rejects.toMatchObject(
        missing,
      );
      await expect(client.createReceiver(name, unrenewed).peekMessages(1)).rejects.toMatchObject(missing);
      await expect(client.acceptNextSession(name)).rejects.toMatchObject(missing);
      await expect(
        client.createSender(name).scheduleMessages({ body: 1 }, new Date(bus().now() + 60_000)),
      ).rejects.toMatchObject(missing);
    });

    it('may be a subscription of a topic that is', async () => {
      const topic = await bus().topic();
      await expect(
        bus().client.createReceiver(topic, 'missing', unrenewed).receiveMessages(1, soon),
      ).rejects.toMatchObject(missing);
    });

    it('is one that was deleted while it was used', async () => {
      const queue = await bus().queue();
      const receiver = bus().client.createReceiver(queue, unrenewed);
      expect(await receiver.receiveMessages(1, briefly)).toEqual([]);
      await bus().administration.deleteQueue(queue);
      await expect(receiver.receiveMessages(1, soon)).rejects.toMatchObject(missing);
    });
  });

  describe('a token that opens nothing', () => {
    it('is refused with UnauthorizedAccess, for sending and receiving', async () => {
      const queue = await bus().queue();
      const stranger = bus().target.stranger();
      const refused = { code: 'UnauthorizedAccess' };
      await expect(stranger.createSender(queue).sendMessages({ body: 1 })).rejects.toMatchObject(refused);
      await expect(stranger.createReceiver(queue, unrenewed).receiveMessages(1, soon)).rejects.toMatchObject(
        refused,
      );
      await stranger.close();
      expect(await bus().client.createReceiver(queue, unrenewed).peekMessages(1)).toEqual([]);
    });
  });

  describe('what cannot be done', () => {
    it('is sending into a subscription', async () => {
      const topic = await bus().topic('s');
      await expect(
        bus().client.createSender(`${topic}/Subscriptions/s`).sendMessages({ body: 1 }),
      ).rejects.toMatchObject({ name: 'ServiceBusError', retryable: false });
    });

    it('is receiving from a topic itself', async () => {
      const topic = await bus().topic('s');
      await expect(
        bus().client.createReceiver(topic, unrenewed).receiveMessages(1, soon),
      ).rejects.toMatchObject({ name: 'ServiceBusError' });
    });

    it('is a deferred message under a number that nobody has', async () => {
      const queue = await bus().queue();
      await bus().client.createSender(queue).sendMessages({ body: 1 });
      const receiver = bus().client.createReceiver(queue, unrenewed);
      const [active] = await receiver.peekMessages(1);
      if (active === undefined) throw new Error('no message');
      // It is there, but it is not deferred.
      await expect(receiver.receiveDeferredMessages(numberOf(active))).rejects.toMatchObject({
        code: 'MessageNotFound',
      });
    });
  });
});
