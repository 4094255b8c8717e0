// A service dies at every moment at which it changes the world outside of it, one after the other, and comes back.
// Each time all rotations complete, each key is regenerated exactly once, and nobody's call is refused.
// (`npm run check:crashes`; killed-services.e2e.spec.ts takes a sample.) It takes an hour or two. `CRASH_SERVICES=console`
// takes some services only, `CRASH_FROM=100` leaves out the points before, and CRASH_LOG names a file that gets a line
// for every death, so that a run that was cut short is worth something.
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
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
const died: string[] = [];
const chosen = SERVICES.filter((service) => chosenBy(process.env['CRASH_SERVICES']).includes(service));
const from = Number(process.env['CRASH_FROM'] ?? 1);

function chosenBy(names = SERVICES.join(',')): readonly string[] {
  return names.split(',');
}

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

/** What went wrong in one round; nothing is what everybody wants. */
async function faultsOfRound(service: Service, dieAt: number): Promise<readonly string[]> {
  const [counted, refusedBefore] = [await regenerations(), await fleet.refused()];
  const faults: string[] = [];
  const started = performance.now();
  let order = '';
  try {
    order = await rotateUnder(service, dieAt);
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
    deaths.revoke(service);
  }
  const [after, refused] = [await regenerations(), await fleet.refused()];
  for (const name of names) {
    const times = (after[name] ?? 0) - (counted[name] ?? 0);
    if (times !== 2) faults.push(`${name} had ${times} regenerations instead of 2`);
  }
  for (const witness of ['seenByCallers', 'seenByAzure'] as const) {
    const times = refused[witness] - refusedBefore[witness];
    if (times !== 0) faults.push(`${times} refused calls (${witness})`);
  }
  const point = order === '' ? undefined : deaths.diedAt(service, order);
  if (point !== undefined) died.push(`${service} ${point}`);
  note(
    `${service} ${dieAt} ${point ?? 'lived'} ${Math.round(performance.now() - started)} ms ${faults.join('; ') || 'ok'}`,
  );
  return faults.map((fault) => `${service} at point ${dieAt}, ${point ?? 'alive'}: ${fault}`);
}

function note(line: string): void {
  const file = process.env['CRASH_LOG'];
  if (file !== undefined) appendFileSync(file, `${line}\n`);
}

describe.each(chosen)('the %s, killed at a moment that it cannot choose,', (service) => {
  it('is survived at each of them: every key is replaced once, no call is refused', async () => {
    const counted = await rotateUnder(service, 0);
    const { length } = deaths.points(service, counted);
    note(`${service} passes ${length} points`);
    const faults: string[] = [];
    for (let dieAt = from; dieAt <= length; dieAt += 1) faults.push(...(await faultsOfRound(service, dieAt)));
    expect(faults).toEqual([]);
  }, 7_200_000);
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
    if (chosen.length < SERVICES.length || from > 1) return; // a portion need not meet every kind
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
