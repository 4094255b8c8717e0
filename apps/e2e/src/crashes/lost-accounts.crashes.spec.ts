// Somebody takes an account away in the middle of its rotation: deletes it, or lets it take no keys any more. Its rotation
// stops and says why and what one can do; the others go on.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { accountIdOf, type SampleAccount } from '@twinkey/dev';
import { textAccount } from '../fleet.js';
import { Stranger } from '../stranger.js';
import { Ground, type Newest } from './ground.js';

const policies = {
  alone: {
    interval: 'PT1H',
    acknowledgeWithin: 'PT1M',
    onOverdue: 'hold',
    drain: 'PT0.2S',
    withoutConsumers: 'rotate',
    firstRotation: 'after-interval',
  },
};
const names = ['deleted', 'keyless', 'other'];

let ground: Ground;
let stranger: Stranger;
let before: Newest;

beforeAll(async () => {
  const consumers = [{ consumer: 'reader', instances: 2, accounts: ['other'] }];
  ground = await Ground.start({ accounts: names, policy: 'alone', policies, consumers });
  const env = parseEnv(readFileSync(join(ground.fleet.folder, 'azure.env'), 'utf8')) as Record<
    string,
    string
  >;
  stranger = new Stranger(ground.fleet.stack.azureOrigin, env);
  // The regeneration is on its way while the stranger acts.
  for (const target of ['deleted', 'keyless'])
    await ground.azure.addFault({
      service: 'arm',
      operation: 'regenerateKey',
      target,
      effect: { kind: 'delay', ms: 2_000, when: 'before' },
    });
  before = await ground.askForAll('an account is taken away');
});
afterAll(async () => {
  await ground.stop();
});

function idOf(name: string): string {
  const account: SampleAccount = textAccount(name, 'alone');
  return accountIdOf(account, ground.fleet.stack.environment['AZURE_SUBSCRIPTION_ID'] ?? '');
}

async function untilRegenerating(name: string): Promise<void> {
  await ground.untilOneIsAt('regenerate-key1', { [name]: before[name] });
}

describe('an account that is taken away in the middle of its rotation', () => {
  it('stops it with a reason and a remedy, and no other', async () => {
    await Promise.all([
      untilRegenerating('deleted').then(() => stranger.deleteAccount(idOf('deleted'))),
      untilRegenerating('keyless').then(() => stranger.disableKeys(idOf('keyless'))),
    ]);
    ground.fleet.recorder.note('one account is deleted, one takes no keys');
    await ground.untilAll('halted', { deleted: before['deleted'], keyless: before['keyless'] });
    await ground.untilAll('completed', { other: before['other'] });
    const { deleted, keyless } = await ground.fleet.rotations();
    expect(deleted?.halt).toMatchObject({
      reason: 'account-not-found',
      remedy: expect.stringMatching(/\w+/),
    });
    expect(keyless?.halt).toMatchObject({
      reason: 'local-auth-disabled',
      remedy: expect.stringMatching(/\w+/),
    });
  });

  it('and those who use the others notice nothing', async () => {
    await ground.untilAll('completed', await ground.askForAll('after that', ['other']));
    const halted = { deleted: 'account-not-found', keyless: 'local-auth-disabled' };
    expect(await ground.fleet.findings({ halted })).toEqual([]);
  });
});
