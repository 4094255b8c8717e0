// A rolling update and its way back, while keys are rotated and consumers of both versions call. `npm run check:upgrade`
// builds both versions, and says where they are.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SAMPLE_POLICIES, waitUntil, type Service } from '@twinkey/dev';
import pg from 'pg';
import { Ground } from '../crashes/ground.js';
import { replacementsIn } from '../history/timeline.js';
import { Deployment, type Version } from './deployment.js';
import { SteadyRotations } from './steady-rotations.js';

const { UPGRADE_FROM: old = '', UPGRADE_TO: next = '', UPGRADE_NAMES = '{}' } = process.env;
if (old === '' || next === '')
  throw new Error('Run it by `npm run check:upgrade`: it builds both versions first.');

const ACCOUNTS = ['speech', 'language', 'vision', 'translator'];
const ORDER: readonly Service[] = ['scheduler', 'notifier', 'rotator', 'console'];
const policies = { calm: { ...SAMPLE_POLICIES.standard, interval: 'PT6H', firstRotation: 'after-interval' } };
/** As many rotations pass while both versions of a service run, and again when there is one. */
const MEANWHILE = 6;

const startedAt = performance.now();
let ground: Ground;
let deployment: Deployment;
let rotations: SteadyRotations;
let passed = 0;
/** How many rotations were open at each replacement of a replica. */
const inFlight: number[] = [];

beforeAll(async () => {
  ground = await Ground.start({
    accounts: ACCOUNTS,
    policy: 'calm',
    policies,
    consumers: [
      { consumer: 'of-the-old', instances: 2, accounts: ACCOUNTS },
      { consumer: 'of-the-next', instances: 2, accounts: ACCOUNTS },
    ],
    consumerPrograms: { 'of-the-old': old, 'of-the-next': next },
    program: 'bundle',
    programs: old,
    env: { NODE_OPTIONS: '' }, // nobody is ordered to die
  });
  deployment = new Deployment(ground.fleet, { old, next });
  for (const service of ORDER) await deployment.spread(service);
  rotations = new SteadyRotations(ground.fleet, ACCOUNTS);
});

afterAll(async () => {
  const { calls, seenByCallers, seenByAzure } = await ground.fleet.refused();
  const regenerations = replacementsIn(ground.fleet.recorder.facts()).length;
  const summary = {
    ok: passed === 2,
    ...(JSON.parse(UPGRADE_NAMES) as object),
    rotations: rotations.completed,
    replacements: inFlight.length,
    leastInFlight: Math.min(...inFlight),
    regenerations,
    calls,
    refused: { seenByCallers, seenByAzure },
    seconds: Math.round((performance.now() - startedAt) / 1000),
  };
  rotations.stop();
  deployment.close();
  await ground.stop();
  process.stdout.write(`${JSON.stringify(summary)}\n`);
});

/** Both replicas are replaced, one after the other, while keys are rotated; for some rotations both versions run. */
async function replace(service: Service, version: Version): Promise<void> {
  rotations.begin();
  for (const running of [
    ['next', 'old'],
    [version, version],
  ]) {
    inFlight.push(await rotations.underWay());
    await deployment.replaceOne(service, version);
    expect(deployment.running(service).toSorted()).toEqual(running);
    await rotations.more(MEANWHILE);
  }
  await rotations.end();
  expect(await ground.fleet.findings()).toEqual([]); // the judge wants nothing to be open
}

/** What must be true whatever versions have met. */
async function nobodyNoticed(): Promise<void> {
  const { fleet } = ground;
  expect(await fleet.refused()).toMatchObject({ seenByCallers: 0, seenByAzure: 0 });
  expect(await fleet.findings()).toEqual([]);
  expect(replacementsIn(fleet.recorder.facts())).toHaveLength(rotations.completed * 2);
  const answered = await fetch(`${fleet.stack.url('console')}/v1/dead-letters`);
  expect(await answered.json()).toEqual({ deadLetters: [] });
  for (const consumer of ['of-the-old', 'of-the-next']) {
    const { calls } = fleet.load.counters(consumer);
    await waitUntil(`${consumer} calls`, () => fleet.load.counters(consumer).calls > calls, {
      withinMs: 30_000,
    });
  }
  expect(complaints()).toEqual([]);
}

/** What services wrote as errors: of those that a neighbour causes, none passes by itself. */
function complaints(): readonly string[] {
  const folder = join(ground.fleet.folder, 'logs');
  return readdirSync(folder)
    .filter((name) => /-(old|next)-/.test(name))
    .flatMap((name) =>
      readFileSync(join(folder, name), 'utf8')
        .split('\n')
        .filter((line) => /"level":"(error|fatal)"/.test(line))
        .map((line) => `${name}: ${line}`),
    );
}

describe('two versions beside each other, with rotations in flight', () => {
  it('complete every rotation while one service after the other becomes the newer one, and nobody notices', async () => {
    for (const service of ORDER) await replace(service, 'next');
    expect(await applied()).toEqual(migrationsOf(next));
    await nobodyNoticed();
    passed += 1;
  });

  it('do the same on the way back, over the migrations of the newer one', async () => {
    const before = await applied();
    for (const service of ORDER.toReversed()) await replace(service, 'old');
    expect(await applied()).toEqual(before);
    await nobodyNoticed();
    passed += 1;
  });
});

/** The migrations of all services, in their order. */
async function applied(): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: ground.fleet.stack.environment['DATABASE_URL'] });
  await client.connect();
  try {
    const all: string[] = [];
    for (const service of ORDER) {
      const { rows } = await client.query<{ name: string }>(
        `select name from ${service}.applied_migration order by name`,
      );
      all.push(...rows.map(({ name }) => `${service}: ${name}`));
    }
    return all;
  } finally {
    await client.end();
  }
}

/** The same, as the files of a version have them. */
function migrationsOf(version: string): readonly string[] {
  return ORDER.flatMap((service) =>
    ['libs/journal', `apps/${service}`].flatMap((project, place) =>
      readdirSync(join(version, project, 'migrations'))
        .map((name) => `${service}: 0${place}/${name.replace('.sql', '')}`)
        .toSorted(),
    ),
  );
}
