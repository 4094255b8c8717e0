import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Module, type INestMicroservice, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  Interrupted,
  PermanentFault,
  RotationDue,
  RotationId,
  AccountId,
  TransientFault,
  writeMessage,
  type Message,
} from '@twinkey/contracts';
import type { Bus, EntitySource, ReceivedMessage, Settlement } from '@twinkey/service-bus';
import { BusContext } from './context.js';
import { currentDelivery } from './delivery.js';
import { OnMessage } from './on-message.js';
import { ServiceBusStrategy } from './strategy.js';

const due = writeMessage(RotationDue, {
  id: 'r-0123456789ab:due',
  source: 'twinkey/scheduler',
  time: new Date('2031-04-01T00:00:00Z'),
  data: {
    rotationId: RotationId.parse('r-0123456789ab'),
    account: AccountId.parse(
      '/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a',
    ),
    dueAt: '2031-04-01T00:00:00Z',
    reason: 'interval',
  },
});

/** What a test wants the handler to do; the controller below is an ordinary one. */
let behave: (message: Message<RotationDue>, context: BusContext) => Promise<void>;

@Controller()
class OnRotationDue {
  @OnMessage(RotationDue)
  async handle(message: Message<RotationDue>, context: BusContext): Promise<void> {
    await behave(message, context);
  }
}

@Module({ controllers: [OnRotationDue] })
class RotatorModule {}

type Deliver = (body: unknown, more?: Partial<ReceivedMessage>) => Promise<Settlement>;

/** A bus that hands over what a test gives it. The real one stands in service-bus/src/*.spec.ts. */
function handBus(): { bus: Bus; deliver: Deliver; closed: EntitySource[] } {
  let handle: ((message: ReceivedMessage) => Promise<Settlement>) | undefined;
  const closed: EntitySource[] = [];
  const receive: Bus['receive'] = (source, _options, given) => {
    handle = given;
    return Promise.resolve({
      close: () => {
        closed.push(source);
        return Promise.resolve();
      },
    });
  };
  const deliver: Deliver = async (body, more = {}) => {
    if (handle === undefined) throw new Error('nobody receives');
    return handle({
      id: due.id,
      body,
      deliveryCount: 1,
      enqueuedAt: new Date('2031-04-01T00:00:01Z'),
      abandoned: new AbortController().signal,
      ...more,
    });
  };
  return { bus: { receive } as unknown as Bus, deliver, closed };
}

let running: INestMicroservice | undefined;
let lines: { fields: object; message: string }[];

async function start(module: Type = RotatorModule) {
  const { bus, deliver, closed } = handBus();
  lines = [];
  const note = (fields: object, message: string) => void lines.push({ fields, message });
  const strategy = new ServiceBusStrategy({
    bus,
    sources: [{ source: { queue: 'rotation-due' } }],
    log: { info: note, warn: note },
  });
  running = await NestFactory.createMicroservice(module, { strategy, logger: false });
  await running.listen();
  return { deliver, closed, strategy, app: running };
}

afterEach(async () => {
  await running?.close();
  running = undefined;
});

describe('a message with a handler', () => {
  it('reaches it parsed, with its delivery, and is completed when it returns', async () => {
    const seen: unknown[] = [];
    behave = (message, context) => {
      seen.push(message.data.rotationId, context.deliveryCount, context.traceparent, context.id);
      return Promise.resolve();
    };
    const { deliver } = await start();
    const settlement = await deliver(due, { deliveryCount: 3, traceparent: '00-1-2-01' });
    expect(settlement).toEqual({ settle: 'complete' });
    expect(seen).toEqual(['r-0123456789ab', 3, '00-1-2-01', due.id]);
  });

  it('reaches it when a newer sender of the same major version says more, without what is not known yet', async () => {
    const seen: unknown[] = [];
    behave = (message) => Promise.resolve(void seen.push(message));
    const { deliver } = await start();
    const newer = { ...due, saidlater: 'x', data: { ...due.data, saidLater: { more: [1] } } };
    expect(await deliver(newer)).toEqual({ settle: 'complete' });
    expect(seen).toEqual([due]);
  });

  it('is not completed before the handler has ended', async () => {
    let finish: () => void = () => undefined;
    behave = () => new Promise((resolve) => (finish = resolve));
    const { deliver } = await start();
    let settled = false;
    const settlement = deliver(due).then((how) => {
      settled = true;
      return how;
    });
    await new Promise(setImmediate);
    expect(settled).toBe(false);
    finish();
    expect(await settlement).toEqual({ settle: 'complete' });
  });

  it('carries its trace to whatever the handler calls', async () => {
    let traceparent: string | undefined;
    behave = async () => {
      await Promise.resolve();
      traceparent = currentDelivery()?.traceparent;
    };
    const { deliver } = await start();
    await deliver(due, { traceparent: '00-1-2-01' });
    expect(traceparent).toBe('00-1-2-01');
    expect(currentDelivery()).toBeUndefined();
  });
});

describe('a handler that throws', () => {
  it('never completes its message, and keeps its own words', async () => {
    behave = () => Promise.reject(new Error('the abacus fell over'));
    const { deliver } = await start();
    expect((await deliver(due)).settle).toBe('redeliver');
    expect(await deliver(due, { deliveryCount: 10 })).toEqual({
      settle: 'dead-letter',
      reason: 'DeliveriesExhausted',
      description: 'Error: the abacus fell over',
    });
  });

  it('before its first await is no different', async () => {
    behave = () => {
      throw new Error('at once');
    };
    const { deliver } = await start();
    expect((await deliver(due)).settle).toBe('redeliver');
  });

  it.each([
    [
      'a transient fault',
      new TransientFault('throttled', 'Slow down.', { retryAfterMs: 700 }),
      { settle: 'redeliver', delayMs: 700 },
    ],
    [
      'a permanent fault',
      new PermanentFault('gone', 'It is gone.'),
      { settle: 'dead-letter', reason: 'gone', description: 'It is gone.' },
    ],
    ['an interruption', new Interrupted('lease-lost', 'Someone else goes on.'), { settle: 'release' }],
  ])('%s decides what becomes of the message', async (_kind, fault, settlement) => {
    behave = () => Promise.reject(fault);
    const { deliver } = await start();
    expect(await deliver(due)).toEqual(settlement);
  });

  it('leaves one line that names the message and the reason', async () => {
    behave = () => Promise.reject(new TransientFault('throttled', 'Slow down.'));
    const { deliver } = await start();
    await deliver(due);
    expect(lines).toEqual([
      {
        fields: expect.objectContaining({ messageId: due.id, code: 'throttled', settle: 'redeliver' }),
        message: 'A message was not handled: Slow down.',
      },
    ]);
  });
});

describe('a start hook that does not wait for the handler', () => {
  it('does not settle the message early', async () => {
    behave = () => Promise.reject(new TransientFault('throttled', 'Slow down.'));
    const { deliver, strategy } = await start();
    strategy.setOnProcessingStartHook((_transport, _context, done) => void done());
    expect((await deliver(due)).settle).toBe('redeliver');
  });
});

describe('a message that no handler understands', () => {
  it('is dead-lettered with the fields that are wrong when its body breaks the contract', async () => {
    const { deliver } = await start();
    const settlement = await deliver({ ...due, data: { ...due.data, reason: 'mood' } });
    expect(settlement).toMatchObject({ settle: 'dead-letter', reason: 'UnreadableMessage' });
    expect(settlement).toHaveProperty('description', expect.stringContaining('data.reason'));
  });

  it.each([[Buffer.from('not json')], ['text'], [null], [{ no: 'type' }], [{ type: 7 }]])(
    'is dead-lettered when it is no CloudEvent at all: %p',
    async (body) => {
      const { deliver } = await start();
      expect(await deliver(body)).toMatchObject({ settle: 'dead-letter', reason: 'UnreadableMessage' });
    },
  );

  it.each([
    ['its type', 'com.twinkey.unknown.v9'],
    ['the major version of its type', due.type.replace(/\.v1$/, '.v2')],
  ])('is dead-lettered, not dropped, when nobody handles %s', async (_, type) => {
    const { deliver } = await start();
    expect(await deliver({ ...due, type })).toEqual({
      settle: 'dead-letter',
      reason: 'NoHandler',
      description: `This service handles no ${type}.`,
    });
  });
});

describe('a service that ends', () => {
  it('closes every receiver, once', async () => {
    const { app, strategy, closed } = await start();
    await strategy.close();
    await app.close();
    expect(closed).toEqual([{ queue: 'rotation-due' }]);
  });
});

describe('a method for another message', () => {
  it('does not compile as a handler', () => {
    class Wrong {
      // @ts-expect-error the payload is of another type
      @OnMessage(RotationDue)
      handle(message: Message<{ colour: string }>): Promise<void> {
        return Promise.reject(new Error(message.id));
      }
    }
    expect(Wrong).toBeDefined();
  });
});
