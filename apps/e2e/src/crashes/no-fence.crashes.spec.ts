// The one moment for which nothing helps: a rotator that is frozen after its last look at its lease and before the
// first byte of its call sends it when it wakes, and Azure has no means to refuse it. This says how bad it is, and that
// the judge of histories would not miss it.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitUntil } from '@twinkey/dev';
import { Ground } from './ground.js';

let ground: Ground;

beforeAll(async () => {
  ground = await Ground.start({ accounts: ['one'] });
  await ground.fleet.stack.startSecond('rotator');
});
afterAll(async () => {
  await ground.stop();
});

/** Less than the minute after which an account at rest is looked at anyway. */
const HEALED_WITHIN_MS = 30_000;

describe('a rotator that wakes with its call in hand', () => {
  it('replaces a key that is in use; it looks at what it did, heals it, and rotations go on', async () => {
    const { deaths, fleet } = ground;
    const order = deaths.order('rotator', 'arm:regenerateKey:before', 'freezes');
    const before = await ground.askForAll('a rotator is frozen with its call in hand');
    await waitUntil('it is frozen', () => deaths.whoDied('rotator', order) !== undefined, {
      withinMs: 60_000,
    });
    deaths.revoke('rotator');
    const pid = deaths.whoDied('rotator', order);
    if (pid === undefined) throw new Error('it was frozen a moment ago');
    try {
      await ground.untilAll('completed', before);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    const published = await generation();
    await waitUntil('the judge finds it', async () => (await brokenRules()).includes('key-in-use'), {
      withinMs: 30_000,
      everyMs: 500,
    });
    await waitUntil('another key is published', async () => (await generation()) > published, {
      withinMs: HEALED_WITHIN_MS,
      everyMs: 200,
    });
    // Nobody is refused any more once all have it.
    await ground.untilAll('completed', await ground.askForAll('after that'));
    const { refused } = fleet.load.counters();
    await ground.untilAll('completed', await ground.askForAll('once more'));
    expect(fleet.load.counters().refused).toBe(refused);
    expect(await brokenRules()).toEqual(['key-in-use', 'refused-call', 'regeneration-unasked']);
  });
});

async function brokenRules(): Promise<readonly string[]> {
  return [...new Set((await ground.fleet.findings()).map(({ rule }) => rule))].sort();
}

async function generation(): Promise<number> {
  const [account] = await ground.fleet.client.accounts();
  return account?.published?.generation ?? 0;
}
