import { describe, expect, it } from '@jest/globals';
import { all, uniqueName } from '../contract.js';
import { busContract, next, take, unrenewed } from './bus.js';

// A missing entity is a 404 when it is deleted, and an empty answer with 200 when it is looked at.
const gone = { code: 'MessageEntityNotFoundError' };
const there = { code: 'MessageEntityAlreadyExistsError', statusCode: 409 };

busContract('administration', (bus) => {
  const admin = () => bus().administration;

  describe('the namespace', () => {
    it('tells its name and size', async () => {
      const { name, messagingSku } = await admin().getNamespaceProperties();
      expect(name).toMatch(/./);
      expect(['Standard', 'Premium']).toContain(messagingSku);
    });
  });

  describe('a queue', () => {
    it('is made as it is described, shown, changed and deleted', async () => {
      const name = uniqueName('queue');
      bus().forget('queue', name);
      const described = {
        lockDuration: 'PT45S',
        maxDeliveryCount: 7,
        defaultMessageTimeToLive: 'P2D',
        deadLetteringOnMessageExpiration: true,
        requiresDuplicateDetection: true,
        duplicateDetectionHistoryTimeWindow: 'PT2M',
        requiresSession: true,
        userMetadata: 'mine',
      };
      expect(await admin().createQueue(name, described)).toMatchObject({ name, ...described });
      const shown = await admin().getQueue(name);
      expect(shown).toMatchObject({ name, ...described, status: 'Active', enableBatchedOperations: true });
      expect(
        await admin().updateQueue({ ...shown, maxDeliveryCount: 3, lockDuration: 'PT1M' }),
      ).toMatchObject({
        maxDeliveryCount: 3,
        lockDuration: 'PT1M',
      });
      expect(await admin().getQueue(name)).toMatchObject({
        ...described,
        maxDeliveryCount: 3,
        lockDuration: 'PT1M',
      });
      expect(await admin().queueExists(name)).toBe(true);
      await admin().deleteQueue(name);
      expect(await admin().queueExists(name)).toBe(false);
    });

    it('has the defaults of the service', async () => {
      const name = uniqueName('queue');
      bus().forget('queue', name);
      expect(await admin().createQueue(name)).toMatchObject({
        lockDuration: 'PT1M',
        maxDeliveryCount: 10,
        requiresSession: false,
        requiresDuplicateDetection: false,
        deadLetteringOnMessageExpiration: false,
        status: 'Active',
        defaultMessageTimeToLive: 'P10675199DT2H48M5.4775807S',
        autoDeleteOnIdle: 'P10675199DT2H48M5.4775807S',
      });
    });

    it('that is there is not made again, and one that is not is told so', async () => {
      const name = await bus().queue();
      await expect(admin().createQueue(name)).rejects.toMatchObject(there);
      const missing = uniqueName('missing');
      await expect(admin().getQueue(missing)).rejects.toMatchObject(gone);
      await expect(admin().deleteQueue(missing)).rejects.toMatchObject(gone);
    });

    it('tells how many messages it has, in which state', async () => {
      const name = await bus().queue();
      const sender = bus().client.createSender(name);
      await sender.sendMessages([{ body: 1 }, { body: 2 }, { body: 3 }]);
      await sender.scheduleMessages({ body: 4 }, new Date(bus().now() + 60_000));
      const receiver = bus().client.createReceiver(name, unrenewed);
      await receiver.deadLetterMessage(await next(receiver));
      expect(await admin().getQueueRuntimeProperties(name)).toMatchObject({
        name,
        activeMessageCount: 2,
        deadLetterMessageCount: 1,
        scheduledMessageCount: 1,
        totalMessageCount: 4,
      });
    });

    it('is found in the list', async () => {
      const names = [await bus().queue(), await bus().queue()];
      const listed = (await all(admin().listQueues())).map(({ name }) => name);
      expect(listed).toEqual(expect.arrayContaining(names));
      const runtime = (await all(admin().listQueuesRuntimeProperties())).map(({ name }) => name);
      expect(runtime).toEqual(expect.arrayContaining(names));
    });

    it('that is disabled takes and gives nothing', async () => {
      const name = await bus().queue();
      const shown = await admin().getQueue(name);
      await admin().updateQueue({ ...shown, status: 'Disabled' });
      await expect(bus().client.createSender(name).sendMessages({ body: 1 })).rejects.toMatchObject({
        code: 'MessagingEntityDisabled',
      });
      await admin().updateQueue({ ...shown, status: 'Active' });
      await bus().client.createSender(name).sendMessages({ body: 1 });
      expect((await take(bus().client.createReceiver(name, unrenewed), 1))[0]).toMatchObject({ body: 1 });
    });
  });

  describe('a topic', () => {
    it('has subscriptions, which have rules, and all go with it', async () => {
      const topic = uniqueName('topic');
      bus().forget('topic', topic);
      await admin().createTopic(topic, { defaultMessageTimeToLive: 'P1D', userMetadata: 'mine' });
      expect(await admin().getTopic(topic)).toMatchObject({
        name: topic,
        defaultMessageTimeToLive: 'P1D',
        userMetadata: 'mine',
      });
      await expect(admin().createTopic(topic)).rejects.toMatchObject(there);
      await admin().createSubscription(topic, 's', { maxDeliveryCount: 4, lockDuration: 'PT20S' });
      await expect(admin().createSubscription(topic, 's')).rejects.toMatchObject(there);
      const subscription = await admin().getSubscription(topic, 's');
      expect(subscription).toMatchObject({ topicName: topic, subscriptionName: 's', maxDeliveryCount: 4 });
      await admin().updateSubscription({ ...subscription, maxDeliveryCount: 5 });
      expect(await admin().getSubscription(topic, 's')).toMatchObject({
        maxDeliveryCount: 5,
        lockDuration: 'PT20S',
      });
      expect((await all(admin().listSubscriptions(topic))).map((one) => one.subscriptionName)).toEqual(['s']);

      await admin().createRule(
        topic,
        's',
        'r',
        { subject: 'x', applicationProperties: { a: 1 } },
        { sqlExpression: 'SET b = 2' },
      );
      await expect(admin().createRule(topic, 's', 'r', { subject: 'y' })).rejects.toMatchObject(there);
      const rule = await admin().getRule(topic, 's', 'r');
      expect(rule).toMatchObject({
        name: 'r',
        filter: { subject: 'x', applicationProperties: { a: 1 } },
        action: { sqlExpression: 'SET b = 2' },
      });
      await admin().updateRule(topic, 's', { ...rule, filter: { sqlExpression: 'a > 1' } });
      expect(await admin().getRule(topic, 's', 'r')).toMatchObject({ filter: { sqlExpression: 'a > 1' } });
      expect((await all(admin().listRules(topic, 's'))).map(({ name }) => name).toSorted()).toEqual([
        '$Default',
        'r',
      ]);
      await admin().deleteRule(topic, 's', 'r');
      expect(await admin().ruleExists(topic, 's', 'r')).toBe(false);
      await expect(admin().getRule(topic, 's', 'r')).rejects.toMatchObject(gone);

      await admin().deleteTopic(topic);
      expect(await admin().topicExists(topic)).toBe(false);
      expect(await admin().subscriptionExists(topic, 's')).toBe(false);
      await expect(admin().getSubscription(topic, 's')).rejects.toMatchObject(gone);
    });

    it('tells how many messages its subscriptions have', async () => {
      const topic = await bus().topic('a', 'b');
      await bus()
        .client.createSender(topic)
        .sendMessages([{ body: 1 }, { body: 2 }]);
      expect(await admin().getSubscriptionRuntimeProperties(topic, 'a')).toMatchObject({
        activeMessageCount: 2,
      });
      expect(await admin().getTopicRuntimeProperties(topic)).toMatchObject({ subscriptionCount: 2 });
    });
  });
});
