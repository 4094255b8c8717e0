// Any one service dies in the middle of the rotations and comes back: nobody notices, and nothing is done twice.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SAMPLE_POLICIES, type SampleAccount, type Service } from '@twinkey/dev';
import { twinkey } from './cli.js';
import { Fleet } from './fleet.js';

const accounts: readonly SampleAccount[] = ['weu', 'neu', 'eus', 'sea'].map((name) => ({
  name: `speech-${name}`,
  kind: 'SpeechServices',
  sku: 'S0',
  location: 'westeurope',
  resourceGroup: 'ai',
  keyFormat: 'chars84',
  policy: 'standard',
}));
const names = accounts.map(({ name }) => name);
const consumers = [
  { consumer: 'voice-bot', instances: 3, accounts: names },
  { consumer: 'archive', instances: 2, accounts: names.slice(0, 2) },
];

let fleet: Fleet;

beforeAll(async () => {
  fleet = await Fleet.start({ accounts, consumers, policies: SAMPLE_POLICIES });
  await fleet.allCompleted();
});
afterAll(() => fleet.stop());

describe.each<Service>(['scheduler', 'rotator', 'notifier'])(
  'when the %s is killed in the middle of a rotation',
  (service) => {
    it('and started again, every rotation completes, each key is replaced once and no call is refused', async () => {
      const before = await fleet.rotations();
      for (const name of names) await fleet.client.rotate(name, `${service} dies`);
      const isNew = (name: string, id: string | undefined) => id !== undefined && id !== before[name]?.id;
      await fleet.until('a rotation is under way', (rotations) =>
        names.some((name) => isNew(name, rotations[name]?.id) && rotations[name]?.step != null),
      );
      await fleet.stack.service(service).kill();
      fleet.stack.service(service).start();
      await fleet.stack.ready([service]);

      await fleet.until('all of them completed', (rotations) =>
        names.every((name) => isNew(name, rotations[name]?.id) && rotations[name]?.state === 'completed'),
      );
      const after = await fleet.rotations();
      expect(names.map((name) => after[name]?.keysReplaced)).toEqual(names.map(() => 2));
      const { calls, seenByCallers, seenByAzure } = await fleet.refused();
      expect(calls).toBeGreaterThan(100);
      expect({ seenByCallers, seenByAzure }).toEqual({ seenByCallers: 0, seenByAzure: 0 });
    });
  },
);

describe('the commands that the README shows', () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  const commands = [...readme.matchAll(/^npx twinkey (.+)$/gm)].map(([, words = '']) => words);

  it.each(commands)('twinkey %s', async (words) => {
    expect(await twinkey(fleet.stack.url('console'), ...words.split(' '))).toMatchObject({ code: 0 });
  });
});

describe('after all of that', () => {
  it('every key that existed at the beginning is dead', async () => {
    expect(await fleet.witness.check()).toEqual({ keys: 2 * accounts.length, stillAccepted: [] });
  });
});
