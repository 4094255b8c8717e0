// A service dies at every moment at which it changes the world outside of it, one after the other, and comes back.
// Each time all rotations complete, each key is regenerated exactly once, and nobody's call is refused; the history of
// the rounds is judged. (`npm run check:crashes`; killed-services.e2e.spec.ts takes a sample.)
//
// A moment is a point and what it is about (points.ts); each is tried at its first occurrence. CRASH_ALL=1 tries every
// occurrence, which takes hours. CRASH_SERVICES=console takes some services only, CRASH_FROM=2 CRASH_EVERY=3 every third
// from the second on, and CRASH_LOG names a file that gets a line for every death, so that a run that was cut short is
// worth something.
import { appendFileSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SERVICES, type Service } from '@twinkey/dev';
import { Ground } from './ground.js';

const names = ['one', 'two'];
/** The history of so many rounds is judged at once. */
const ROUNDS = 25;

let ground: Ground;
const died: string[] = [];
/** Services and moments at which they died. */
const met = new Set<string>();
const chosen = SERVICES.filter((service) => chosenBy(process.env['CRASH_SERVICES']).includes(service));
const from = Number(process.env['CRASH_FROM'] ?? 1);
const every = Number(process.env['CRASH_EVERY'] ?? 1);
const everyOccurrence = process.env['CRASH_ALL'] === '1';
/** What occurs only now and then (two commits that meet, a message that waits) is waited for in so many rounds. */
const CHANCES = 3;

function chosenBy(names = SERVICES.join(',')): readonly string[] {
  return names.split(',');
}

beforeAll(async () => {
  ground = await Ground.start({
    accounts: names,
    consumers: [
      { consumer: 'reader', instances: 2, accounts: names },
      { consumer: 'writer', instances: 1, accounts: ['two'] },
    ],
  });
  // A fault that does nothing but count.
  for (const target of names)
    await ground.azure.addFault({
      service: 'arm',
      operation: 'regenerateKey',
      target,
      count: 'unlimited',
      effect: { kind: 'delay', ms: 0 },
    });
});
afterAll(async () => {
  await ground.stop();
});

async function regenerations(): Promise<Readonly<Record<string, number>>> {
  const { text } = await ground.azure.call('GET', '/_local/faults');
  const { faults } = JSON.parse(text) as { faults: { target: string; struck: number }[] };
  return Object.fromEntries(faults.map(({ target, struck }) => [target, struck]));
}

/** Rotates all accounts while the service obeys the order. */
async function rotateUnder(service: Service, dieAt: number | string): Promise<string> {
  const { deaths, fleet } = ground;
  const order = deaths.order(service, dieAt);
  await ground.untilAll('completed', await ground.askForAll(`${service} dies at ${dieAt}`));
  deaths.revoke(service);
  // It may have died at its last point, after everything that one can see: the next round needs it alive.
  await fleet.stack.ready([service]);
  return order;
}

/** What went wrong in one round; nothing is what everybody wants. */
async function faultsOfRound(service: Service, dieAt: number | string): Promise<readonly string[]> {
  const [counted, refusedBefore] = [await regenerations(), await ground.fleet.refused()];
  const faults: string[] = [];
  const started = performance.now();
  let order = '';
  try {
    order = await rotateUnder(service, dieAt);
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
    ground.deaths.revoke(service);
  }
  const [after, refused] = [await regenerations(), await ground.fleet.refused()];
  for (const name of names) {
    const times = (after[name] ?? 0) - (counted[name] ?? 0);
    if (times !== 2) faults.push(`${name} had ${times} regenerations instead of 2`);
  }
  for (const witness of ['seenByCallers', 'seenByAzure'] as const) {
    const times = refused[witness] - refusedBefore[witness];
    if (times !== 0) faults.push(`${times} refused calls (${witness})`);
  }
  const point = order === '' ? undefined : ground.deaths.diedAt(service, order);
  if (point !== undefined) {
    died.push(`${service} ${point}`);
    met.add(`${service} ${dieAt}`);
  }
  note(
    `${service} ${dieAt} ${point ?? 'lived'} ${Math.round(performance.now() - started)} ms ${faults.join('; ') || 'ok'}`,
  );
  return faults.map((fault) => `${service} at point ${dieAt}, ${point ?? 'alive'}: ${fault}`);
}

/** What the judge of histories finds. */
async function judged(): Promise<readonly string[]> {
  const findings = (await ground.fleet.findings()).map(
    ({ rule, account, text }) => `${rule}, ${account}: ${text}`,
  );
  note(`judged: ${findings.join('; ') || 'ok'}`);
  return findings;
}

function note(line: string): void {
  const file = process.env['CRASH_LOG'];
  if (file !== undefined) appendFileSync(file, `${line}\n`);
}

/** Where a service is to die: the moments that it passes in a round, or every point of it. */
async function momentsOf(service: Service): Promise<readonly (number | string)[]> {
  const points = ground.deaths.points(service, await rotateUnder(service, 0));
  note(`${service} passes ${points.length} points, ${new Set(points.flat()).size} different moments`);
  const all = everyOccurrence ? points.map((_, index) => index + 1) : [...new Set(points.flat())];
  return all.filter((_, index) => index + 1 >= from && (index + 1 - from) % every === 0);
}

describe.each(chosen)('the %s, killed at a moment that it cannot choose,', (service) => {
  it('is survived at each of them: every key is replaced once, no call is refused', async () => {
    const faults: string[] = [];
    let left = await momentsOf(service);
    for (let chance = 1; chance <= CHANCES && left.length > 0; chance += 1) {
      for (const [index, dieAt] of left.entries()) {
        faults.push(...(await faultsOfRound(service, dieAt)));
        if ((index + 1) % ROUNDS === 0 || index + 1 === left.length) faults.push(...(await judged()));
      }
      left = everyOccurrence ? [] : left.filter((dieAt) => !met.has(`${service} ${dieAt}`));
    }
    if (left.length > 0) note(`${service} did not come by again: ${left.join(', ')}`);
    expect(faults).toEqual([]);
    expect(left).toEqual([]);
  }, 7_200_000);
});

describe('after all these deaths', () => {
  it('no message was given up and no key of before is alive', async () => {
    const { fleet } = ground;
    const { deadLetters } = (await (await fetch(`${fleet.stack.url('console')}/v1/dead-letters`)).json()) as {
      deadLetters: unknown[];
    };
    expect(deadLetters).toEqual([]);
    expect((await fleet.witness.check()).stillAccepted).toEqual([]);
  });

  it('every kind of moment was one of them, and is explained', () => {
    console.log(table(died));
    if (chosen.length < SERVICES.length || from > 1 || every > 1) return; // a portion need not meet every kind
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
