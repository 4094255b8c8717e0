import type { CorrelationRuleFilter, ServiceBusMessage, SqlRuleFilter } from '@azure/service-bus';
import { describe, expect, it } from '@jest/globals';
import { all } from '../contract.js';
import { briefly, busContract, next, take, unrenewed } from './bus.js';

type Filter = SqlRuleFilter | CorrelationRuleFilter;

busContract('topics', (bus) => {
  /** What a subscription with that one rule gets of the messages: so many, and no more. */
  const filtered = async (filter: Filter, count: number, sqlExpression?: string) => {
    const topic = await bus().topic('all');
    const action = sqlExpression === undefined ? {} : { action: { sqlExpression } };
    await bus().administration.createSubscription(topic, 'some', {
      defaultRuleOptions: { name: 'only', filter, ...action },
    });
    await bus().client.createSender(topic).sendMessages(zoo);
    const received = (subscription: string) =>
      bus().client.createReceiver(topic, subscription, { receiveMode: 'receiveAndDelete' });
    await take(received('all'), zoo.length);
    const got = await take(received('some'), count);
    expect(await received('some').peekMessages(9)).toEqual([]);
    return got;
  };
  const ids = (messages: readonly { messageId?: unknown }[]) => messages.map(({ messageId }) => messageId);
  const zoo: ServiceBusMessage[] = [
    {
      messageId: 'cat',
      body: 1,
      subject: 'animal',
      correlationId: 'c1',
      to: 'home',
      replyTo: 'r',
      contentType: 'x/y',
      applicationProperties: { legs: 4, Colour: 'grey', tame: true, name: 'Mia' },
    },
    {
      messageId: 'hen',
      body: 2,
      subject: 'bird',
      correlationId: 'c2',
      applicationProperties: { legs: 2, Colour: 'brown', tame: true, name: 'Berta' },
    },
    {
      messageId: 'eel',
      body: 3,
      subject: 'fish',
      applicationProperties: { legs: 0, Colour: 'grey', tame: false },
    },
  ];

  describe('a subscription', () => {
    it('gets a copy of everything, settled for itself alone', async () => {
      const topic = await bus().topic('one', 'two');
      await bus().client.createSender(topic).sendMessages({ body: 'news', messageId: 'm' });
      const one = bus().client.createReceiver(topic, 'one', unrenewed);
      const two = bus().client.createReceiver(topic, 'two', unrenewed);
      await one.completeMessage(await next(one));
      const copy = await next(two);
      expect(copy).toMatchObject({ body: 'news', messageId: 'm', deliveryCount: 0 });
      await two.deadLetterMessage(copy, { deadLetterReason: 'why', deadLetterErrorDescription: 'so' });
      const letters = bus().client.createReceiver(topic, 'two', { ...unrenewed, subQueueType: 'deadLetter' });
      expect(await next(letters)).toMatchObject({ body: 'news', deadLetterReason: 'why' });
      expect(await one.peekMessages(1)).toEqual([]);
    });

    it('gets nothing of what was sent before it was made', async () => {
      const topic = await bus().topic('early');
      const sender = bus().client.createSender(topic);
      await sender.sendMessages({ body: 1 });
      await bus().administration.createSubscription(topic, 'late');
      await sender.sendMessages({ body: 2 });
      expect(await next(bus().client.createReceiver(topic, 'late', unrenewed))).toMatchObject({ body: 2 });
    });
  });

  describe('a filter of properties', () => {
    it.each<[string, CorrelationRuleFilter, string[]]>([
      ['the subject', { subject: 'bird' }, ['hen']],
      [
        'several fields at once',
        { subject: 'animal', to: 'home', replyTo: 'r', contentType: 'x/y' },
        ['cat'],
      ],
      ['a field that differs', { subject: 'animal', to: 'away' }, []],
      ['the correlation id', { correlationId: 'c2' }, ['hen']],
      ['the message id', { messageId: 'eel' }, ['eel']],
      ['properties of the application', { applicationProperties: { Colour: 'grey', tame: true } }, ['cat']],
      ['a number among them', { applicationProperties: { legs: 2 } }, ['hen']],
    ])('compares %s', async (_what, filter, expected) => {
      expect(ids(await filtered(filter, expected.length))).toEqual(expected);
    });
  });

  describe('a filter in SQL', () => {
    it.each<[string, string[]]>([
      ['legs > 1', ['cat', 'hen']],
      ["legs >= 2 AND colour = 'grey'", ['cat']],
      ["legs = 0 OR name LIKE 'B%'", ['hen', 'eel']],
      ['NOT (tame = TRUE)', ['eel']],
      ["sys.Label IN ('bird', 'fish')", ['hen', 'eel']],
      ["sys.MessageId = 'cat'", ['cat']],
      ['name IS NULL', ['eel']],
      ['EXISTS(name)', ['cat', 'hen']],
      ["name LIKE '_ia'", ['cat']],
      ['legs * 2 + 1 = 5', ['hen']],
      ['unknown = 1', []],
      ['1=1', ['cat', 'hen', 'eel']],
      ['1=0', []],
    ])('%s', async (sqlExpression, expected) => {
      expect(ids(await filtered({ sqlExpression }, expected.length))).toEqual(expected);
    });

    it('takes parameters', async () => {
      const filter = { sqlExpression: 'legs = @wanted', sqlParameters: { '@wanted': 4 } };
      expect(ids(await filtered(filter, 1))).toEqual(['cat']);
    });

    it('that cannot be understood is refused', async () => {
      const topic = await bus().topic('any');
      await expect(
        bus().administration.createRule(topic, 'any', 'bad', { sqlExpression: 'legs === 4' }),
      ).rejects.toMatchObject({ statusCode: 400 });
    });
  });

  describe('an action', () => {
    it('changes the copy that its rule makes', async () => {
      const got = await filtered(
        { sqlExpression: 'legs = 4' },
        1,
        "SET legs = legs + 1; SET sys.Label = 'changed'; SET seen = 'yes'; REMOVE Colour",
      );
      expect(got).toMatchObject([
        { messageId: 'cat', subject: 'changed', applicationProperties: { legs: 5, seen: 'yes', tame: true } },
      ]);
      expect(got[0]?.applicationProperties).not.toHaveProperty('Colour');
    });

    it('makes a copy of its own when several rules match', async () => {
      const topic = await bus().topic();
      await bus().administration.createSubscription(topic, 's', {
        defaultRuleOptions: { name: 'plain', filter: { sqlExpression: '1=1' } },
      });
      await bus().administration.createRule(
        topic,
        's',
        'marked',
        { sqlExpression: '1=1' },
        { sqlExpression: 'SET mark = 1' },
      );
      await bus().client.createSender(topic).sendMessages({ body: 'x', messageId: 'm' });
      const copies = await take(bus().client.createReceiver(topic, 's', unrenewed), 2);
      expect(copies.map(({ applicationProperties }) => applicationProperties?.['mark']).toSorted()).toEqual([
        1,
        undefined,
      ]);
    });
  });

  describe('the rules of a subscription', () => {
    it('begin with one that lets everything through, and are added, listed and removed', async () => {
      const topic = await bus().topic('s');
      const rules = bus().client.createRuleManager(topic, 's');
      const named = async () => (await all(rules.listRules())).map(({ name }) => name);
      expect(await named()).toEqual(['$Default']);
      await rules.createRule('by-subject', { subject: 'x', applicationProperties: { a: 1 } });
      await rules.createRule('by-sql', { sqlExpression: 'legs > 2' }, { sqlExpression: 'SET a = 1' });
      await rules.deleteRule('$Default');
      expect((await named()).toSorted()).toEqual(['by-sql', 'by-subject']);
      const listed = await all(rules.listRules());
      expect(listed.find(({ name }) => name === 'by-sql')).toMatchObject({
        filter: { sqlExpression: 'legs > 2' },
        action: { sqlExpression: 'SET a = 1' },
      });
      expect(listed.find(({ name }) => name === 'by-subject')).toMatchObject({
        filter: { subject: 'x', applicationProperties: { a: 1 } },
      });
    });

    it('have one name each', async () => {
      const topic = await bus().topic('s');
      const rules = bus().client.createRuleManager(topic, 's');
      await rules.createRule('one', { subject: 'x' });
      await expect(rules.createRule('one', { subject: 'y' })).rejects.toMatchObject({
        code: 'MessagingEntityAlreadyExists',
      });
      await expect(rules.deleteRule('two')).rejects.toMatchObject({ code: 'MessagingEntityNotFound' });
    });

    it('let nothing through when there are none', async () => {
      const topic = await bus().topic('s');
      await bus().administration.deleteRule(topic, 's', '$Default');
      await bus().client.createSender(topic).sendMessages({ body: 1 });
      expect(await bus().client.createReceiver(topic, 's', unrenewed).receiveMessages(1, briefly)).toEqual(
        [],
      );
    });
  });

  describe('a subscription that forwards', () => {
    it('hands what it gets to a queue', async () => {
      const queue = await bus().queue();
      const topic = await bus().topic();
      await bus().administration.createSubscription(topic, 'on', { forwardTo: queue });
      await bus().client.createSender(topic).sendMessages({ body: 'on' });
      expect(await next(bus().client.createReceiver(queue, unrenewed))).toMatchObject({ body: 'on' });
    });
  });
});
