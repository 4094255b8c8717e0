// A service dies at every moment at which it changes the world outside of it, one after the other, and comes back.
// Each time all rotations complete, each key is regenerated exactly once, and nobody's call is refused.
// (`npm run check:crashes`; killed-services.e2e.spec.ts takes a sample.)
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SAMPLE_POLICIES, SERVICES, waitUntil, type Service } from '@twinkey/dev';
import { AzureControl } from '../azure-control.js';
import { Fleet, textAccount } from '../fleet.js';
import { OrderedDeaths } from './ordered-deaths.js';

const accounts = ['one', 'two'].map((name) => textAccount(name, 'standard'));
const names = accounts.map(({ name }) => name);
const consumers = [
  { consumer: 'reader', instances: 2, accounts: names },
  { consumer: 'writer', instances: 1, accounts: ['two'] },
];

let deaths: OrderedDeaths;
let fleet: Fleet;
let azure: AzureControl;
/** How often each account was asked for a rotation that then completed. */
let rotations = 0;
const died: string[] = [];

beforeAll(async () => {
  deaths = new OrderedDeaths(mkdtempSync(join(tmpdir(), 'twinkey-crashes-')));
  fleet = await Fleet.start({
    accounts,
    consumers,
    policies: SAMPLE_POLICIES,
    program: 'dist',
    env: deaths.environment,
  });
  await fleet.allCompleted();
  azure = new AzureControl(fleet.stack.azureOrigin, fleet.stack.environment['NODE_EXTRA_CA_CERTS'] ?? '');
  // A fault that does nothing but count.
  for (const target of names)
    await azure.addFault({
      service: 'arm',
      operation: 'regenerateKey',
      target,
      count: 'unlimited',
      effect: { kind: 'delay', ms: 0 },
    });
});
afterAll(async () => {
  await fleet.stop();
  rmSync(deaths.folder, { recursive: true, force: true });
});

async function regenerations(): Promise<Readonly<Record<string, number>>> {
  const { text } = await azure.call('GET', '/_local/faults');
  const { faults } = JSON.parse(text) as { faults: { target: string; struck: number }[] };
  return Object.fromEntries(faults.map(({ target, struck }) => [target, struck]));
}

/** Rotates all accounts while the service obeys the order. */
async function rotateUnder(service: Service, dieAt: number): Promise<string> {
  const before = await fleet.rotations();
  const order = deaths.order(service, dieAt);
  for (const name of names) await ask(name, before[name]?.id, `${service} dies at ${dieAt}`);
  await fleet.until('all of them completed', (now) =>
    names.every((name) => now[name]?.id !== before[name]?.id && now[name]?.state === 'completed'),
  );
  deaths.revoke(service);
  rotations += 1;
  // It may have died at its last point, after everything that one can see: the next round needs it alive.
  await fleet.stack.ready([service]);
  return order;
}

/** The console may die while it is asked: then nobody knows whether it took the request, and one looks. */
async function ask(name: string, before: string | undefined, reason: string): Promise<void> {
  await waitUntil(
    `a rotation of ${name} is asked for`,
    async () => {
      try {
        await fleet.client.rotate(name, reason);
        return true;
      } catch {
        const newest = await fleet.rotation(name).catch(() => undefined);
        return newest !== undefined && newest.id !== before;
      }
    },
    { withinMs: 60_000 },
  );
}

async function nothingWentWrong(): Promise<void> {
  const { seenByCallers, seenByAzure } = await fleet.refused();
  expect({ seenByCallers, seenByAzure }).toEqual({ seenByCallers: 0, seenByAzure: 0 });
  expect(await regenerations()).toEqual(Object.fromEntries(names.map((name) => [name, 2 * rotations])));
}

describe.each(SERVICES)('the %s, killed at a moment that it cannot choose,', (service) => {
  it('is survived at each of them: every key is replaced once, no call is refused', async () => {
    const counted = await rotateUnder(service, 0);
    await nothingWentWrong();
    const points = deaths.points(service, counted);
    for (let dieAt = 1; dieAt <= points.length; dieAt += 1) {
      const order = await rotateUnder(service, dieAt);
      await nothingWentWrong();
      const point = deaths.diedAt(service, order);
      if (point !== undefined) died.push(`${service} ${point}`);
    }
  }, 3_600_000);
});

describe('after all these deaths', () => {
  it('no message was given up and no key of before is alive', async () => {
    const { deadLetters } = (await (await fetch(`${fleet.stack.url('console')}/v1/dead-letters`)).json()) as {
      deadLetters: unknown[];
    };
    expect(deadLetters).toEqual([]);
    expect((await fleet.witness.check()).stillAccepted).toEqual([]);
  });

  it('every kind of moment was one of them, and is explained', () => {
    console.log(table(died));
    const page = readFileSync(
      new URL('../../../../docs/explanation/crash-points.md', import.meta.url),
      'utf8',
    );
    const explained = [...page.matchAll(/^\| `([a-z]+:[A-Za-z:]+)`/gm)].map(([, point]) => point);
    expect([...new Set(died.map((death) => death.split(' ')[1]))].sort()).toEqual(explained.sort());
  });
});

function table(deathsOfAll: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const death of deathsOfAll) counts.set(death, (counts.get(death) ?? 0) + 1);
  return [...counts].map(([what, times]) => `${String(times).padStart(4)} ${what}`).join('\n');
}
