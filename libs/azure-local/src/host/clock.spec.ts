import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServiceBusClient } from '@azure/service-bus';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { jumpingClock } from './clock.js';
import { start, type AzureLocal } from './start.js';

jest.setTimeout(30_000); // starting and signing take their time on a busy machine

describe('a clock that can jump', () => {
  it('goes on from where it jumped, and tells whoever sleeps', () => {
    let underneath = 1_000;
    let jumps = 0;
    const clock = jumpingClock(
      () => underneath,
      () => (jumps += 1),
    );
    expect([clock.advance(500), clock.aheadByMs()]).toEqual([1_500, 500]);
    underneath = 2_000;
    expect(clock.now()).toBe(2_500);
    expect(clock.set(new Date(10_000))).toBe(10_000);
    underneath = 2_001;
    expect([clock.now(), jumps]).toEqual([10_001, 2]);
  });

  it('never goes back', () => {
    const clock = jumpingClock(
      () => 1_000,
      () => undefined,
    );
    for (const step of [-1, NaN, Infinity])
      expect(() => clock.advance(step)).toThrow(/^advanceMs: 0 or more/);
    expect(() => clock.set(999)).toThrow(/^set: that is over; it is 1970-01-01T00:00:01\.000Z/);
    expect(() => clock.set(NaN)).toThrow(/^set: a time, such as/);
    expect(clock.aheadByMs()).toBe(0);
  });
});

describe('the clock of a running emulator', () => {
  let azure: AzureLocal;
  beforeAll(async () => {
    azure = await start({
      dataDir: mkdtempSync(join(tmpdir(), 'azure-')),
      fleet: [{ name: 'aa' }],
      topology: { UserConfig: { Namespaces: [{ Name: 'local', Queues: [{ Name: 'orders' }] }] } },
    });
  });
  afterAll(() => azure.close());

  it('brings scheduled messages, and frees locks', async () => {
    const client = new ServiceBusClient(azure.endpoints.serviceBusConnectionString);
    const sender = client.createSender('orders');
    await sender.scheduleMessages({ body: 'later' }, new Date(azure.control.clock.now() + 20 * 60_000));
    const receiver = client.createReceiver('orders');
    const arrives = receiver.receiveMessages(1, { maxWaitTimeInMs: 20_000 });
    azure.control.clock.advance(20 * 60_000);
    const [first] = await arrives;
    expect([first?.body, first?.deliveryCount]).toEqual(['later', 0]);
    const again = receiver.receiveMessages(1, { maxWaitTimeInMs: 20_000 });
    azure.control.clock.advance(2 * 60_000);
    expect((await again)[0]?.body).toBe('later');
    await client.close();
  });

  it('ends tokens that are older than their lifetime, without a wait', async () => {
    const [{ clientId, clientSecret } = { clientId: '', clientSecret: '' }] = azure.applications;
    const body = `grant_type=client_credentials&client_id=${clientId}&client_secret=${clientSecret}&scope=https://management.azure.com/.default`;
    const answer = await azure.call(`/${azure.tenantId}/oauth2/v2.0/token`, { method: 'POST', body });
    const { access_token: token } = answer.json() as { access_token: string };
    const ask = async () =>
      await azure.call('/subscriptions?api-version=2022-12-01', {
        headers: { authorization: `Bearer ${token}` },
      });
    expect((await ask()).status).toBe(200);
    azure.control.clock.advance(3_600_000);
    const late = await ask();
    expect([late.status, late.text]).toEqual([401, expect.stringContaining('ExpiredAuthenticationToken')]);
  });

  it('is turned from outside too', async () => {
    const told = async () => (await azure.call('/_local/clock')).json() as { now: string; aheadByMs: number };
    const before = await told();
    const turned = await azure.call('/_local/clock', { method: 'POST', body: { advanceMs: 60_000 } });
    expect([turned.status, turned.json()]).toMatchObject([200, { aheadByMs: before.aheadByMs + 60_000 }]);
    const set = { set: '2040-01-01T00:00:00Z' };
    expect((await azure.call('/_local/clock', { method: 'POST', body: set })).status).toBe(200);
    expect((await told()).now).toMatch(/^2040-01-01T00:00:0/);
  });

  it.each([
    [{}, /^Say either/],
    [{ advanceMs: 1, set: '2050-01-01' }, /^Say either/],
    [{ advance: 1 }, /^Say either/],
    [{ advanceMs: '1h' }, /^advanceMs:/],
    [{ set: 'tomorrow' }, /^set: a time/],
    [{ set: '2020-01-01' }, /^set: that is over/],
  ])('is not turned by %j', async (body, message) => {
    const answer = await azure.call('/_local/clock', { method: 'POST', body });
    expect([answer.status, answer.json()]).toEqual([
      400,
      { error: { code: 'Invalid', message: expect.stringMatching(message) } },
    ]);
  });
});
