import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServiceBusClient } from '@azure/service-bus';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { lineOf } from './bus.js';
import { start, type AzureLocal } from './start.js';

jest.setTimeout(30_000); // starting and signing take their time on a busy machine

let azure: AzureLocal;
beforeAll(async () => {
  azure = await start({
    dataDir: mkdtempSync(join(tmpdir(), 'azure-')),
    fleet: [{ name: 'aa' }],
    topology: { UserConfig: { Namespaces: [{ Name: 'local', Queues: [{ Name: 'orders' }] }] } },
  });
});
afterAll(() => azure.close());

describe('the one list of faults', () => {
  it('holds those of Service Bus with ids of their own, and removes them like the others', async () => {
    const { faults } = azure.control;
    const one = faults.add({ service: 'ai', effect: { kind: 'outage' } });
    const two = faults.add({ service: 'service-bus', target: 'orders', effect: { kind: 'delay', ms: 1 } });
    const three = faults.add({ service: 'arm', effect: { kind: 'throttle' } });
    expect(new Set([one, two, three]).size).toBe(3);
    expect(faults.list().map(({ id, service }) => [id, service])).toEqual([
      [one, 'ai'],
      [two, 'service-bus'],
      [three, 'arm'],
    ]);
    expect((await azure.call(`/_local/faults/${two}`, { method: 'DELETE' })).status).toBe(204);
    expect((await azure.call(`/_local/faults/${two}`, { method: 'DELETE' })).status).toBe(404);
    expect(faults.remove()).toBe(2);
    expect(azure.control.serviceBus?.faults.list()).toEqual([]);
  });

  it('plants in Service Bus what strikes there, also after a restart of it', async () => {
    const body = {
      service: 'service-bus',
      operation: 'send',
      target: 'orders',
      count: 2,
      effect: { kind: 'error', condition: 'amqp:not-allowed', description: 'by order' },
    };
    expect((await azure.call('/_local/faults', { method: 'POST', body })).status).toBe(201);
    const sends = async () => {
      const client = new ServiceBusClient(azure.endpoints.serviceBusConnectionString, {
        retryOptions: { maxRetries: 0 },
      });
      const outcome = await client
        .createSender('orders')
        .sendMessages({ body: 'x' })
        .then(
          () => 'sent',
          (error: unknown) => String(error),
        );
      await client.close();
      return outcome;
    };
    expect(await sends()).toContain('by order');
    await azure.control.restart({ service: 'service-bus' });
    expect(azure.control.faults.list()).toMatchObject([{ ...body, struck: 1, spent: false }]);
    expect(await sends()).toContain('by order');
    expect(await sends()).toBe('sent');
    await azure.control.restart({ service: 'service-bus' });
    expect(azure.control.faults.list()).toMatchObject([{ ...body, struck: 2, spent: true }]);
    expect(await sends()).toBe('sent');
    azure.control.faults.remove();
  });

  it.each([
    [{ effect: { kind: 'fire' } }, /^effect.kind: for service-bus one of throttle, delay/],
    [{ effect: { kind: 'stale' } }, /^effect.kind: for service-bus/],
    [{ effect: { kind: 'error' } }, /^effect.condition: a text/],
    [{ effect: { kind: 'delay' } }, /^effect.ms:/],
    [{ effect: { kind: 'outage', ms: 3 } }, /^effect.ms: no such field/],
    [{ operation: 'listKeys', effect: { kind: 'outage' } }, /^operation: one of send, receive/],
    [
      { operation: 'send', effect: { kind: 'lose-lock' } },
      /^operation: with the effect lose-lock one of receive/,
    ],
  ])('refuses what could never strike there: %j', async (fault, message) => {
    const body = { service: 'service-bus', ...fault };
    const answer = await azure.call('/_local/faults', { method: 'POST', body });
    expect([answer.status, answer.json()]).toEqual([
      400,
      { error: { code: 'Invalid', message: expect.stringMatching(message) } },
    ]);
  });
});

describe('a line of the log', () => {
  it('has the fields of what it tells, and nothing that might be a secret', () => {
    expect(
      lineOf({
        level: 'warn',
        message: 'A connection was closed',
        reason: new Error('a frame too large'),
        size: 5,
        sasToken: 'hush',
        nothing: undefined,
      }),
    ).toBe('A connection was closed (reason=a frame too large, size=5)');
    expect(lineOf({ level: 'error', message: 'Full' })).toBe('Full');
  });
});
