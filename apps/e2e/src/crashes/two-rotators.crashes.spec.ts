// Two processes of the rotator care for the same accounts. One is killed, or frozen for longer than its lease and woken
// when the other one has taken over: what it was about to do is not done a second time.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitUntil } from '@twinkey/dev';
import { Ground, type Newest } from './ground.js';

let ground: Ground;

beforeAll(async () => {
  ground = await Ground.start({ accounts: ['one', 'two', 'three', 'four'] });
  await ground.fleet.stack.startSecond('rotator');
});
afterAll(async () => {
  await ground.stop();
});

const nothingToFind = async () => {
  expect(await ground.fleet.findings()).toEqual([]);
};

describe('two rotators on the same accounts', () => {
  it('rotate the fleet as one would', async () => {
    await ground.untilAll('completed', await ground.askForAll('two rotators'));
    await nothingToFind();
  });

  it('do so when one is killed in the middle and comes back', async () => {
    const before = await ground.askForAll('one of two rotators is killed');
    await ground.untilOneIsAt('regenerate-key1', before);
    const { pid } = ground.fleet.stack.service('rotator');
    if (pid === undefined) throw new Error('the rotator runs');
    process.kill(pid, 'SIGKILL');
    await ground.untilAll('completed', before);
    await ground.fleet.stack.ready(['rotator']);
    await nothingToFind();
  });
});

/** The rotator that gets to the point first is frozen there; answers its process id. */
async function frozenAt(point: string): Promise<{ readonly pid: number; readonly before: Newest }> {
  const order = ground.deaths.order('rotator', point, 'freezes');
  const before = await ground.askForAll(`a rotator is frozen at ${point}`);
  await waitUntil('one is frozen', () => ground.deaths.whoDied('rotator', order) !== undefined, {
    withinMs: 60_000,
  });
  ground.deaths.revoke('rotator');
  const pid = ground.deaths.whoDied('rotator', order);
  if (pid === undefined) throw new Error('it was frozen a moment ago');
  return { pid, before };
}

describe.each([
  // The intent is durable, the lease has not been looked at for the last time: it must be, before anything is sent.
  'db:commit:after of RegenerationIntended',
  'arm:regenerateKey:sent',
  'arm:regenerateKey:after',
  'db:commit:after of PublicationIntended',
  'vault:setSecret:sent',
])('a rotator that is frozen at %s', (point) => {
  it('is replaced by the other one, and does no harm when it wakes', async () => {
    const { pid, before } = await frozenAt(point);
    try {
      await ground.untilAll('completed', before);
    } finally {
      ground.fleet.recorder.note('it wakes');
      process.kill(pid, 'SIGCONT');
    }
    // Whatever it still does, it does before it works on the next rotation.
    await ground.untilAll('completed', await ground.askForAll('after it woke'));
    await nothingToFind();
  });
});
