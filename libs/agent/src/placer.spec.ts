import { describe, expect, it } from '@jest/globals';
import { fakeTwinkey } from '@twinkey/consumer/testing';
import { Placer } from './placer.js';
import { generationsOf, type Keys, Refused, type Target } from './target.js';

interface Attempt {
  readonly of: string;
  readonly keys: readonly string[];
  readonly signal: AbortSignal;
  readonly end: (error?: Error) => void;
}

/** A target in the hands of the spec. */
class HandTarget implements Target {
  readonly where = 'the spec';
  readonly attempts: Attempt[] = [];
  running = 0;
  mostAtOnce = 0;

  place(keys: Keys, signal: AbortSignal): Promise<void> {
    this.running += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.running);
    return new Promise<void>((resolve, reject) => {
      const end = (error?: Error): void => {
        if (error === undefined) resolve();
        else reject(error);
      };
      this.attempts.push({ of: generationsOf(keys), keys: keys.map(({ key }) => key()), signal, end });
      signal.addEventListener('abort', () => {
        resolve();
      });
    }).finally(() => (this.running -= 1));
  }
}

async function agentFor(accounts: Record<string, string | null>) {
  const target = new HandTarget();
  const placed: string[] = [];
  const placer = new Placer(Object.keys(accounts), target, (keys) => placed.push(generationsOf(keys)));
  const twinkey = await fakeTwinkey({ accounts, drainSeconds: 0, afterSwitch: placer.afterSwitch });
  const acknowledged = () => Object.keys(accounts).map((name) => twinkey.acknowledged(name)?.generation ?? 0);
  const end = async (error?: Error): Promise<void> => {
    target.attempts.at(-1)?.end(error);
    await twinkey.pass(0);
  };
  return { twinkey, target, placed, acknowledged, end };
}

describe('an agent with several accounts', () => {
  it('puts their keys in place together, when it has all of them', async () => {
    const { twinkey, target, acknowledged, end } = await agentFor({ speech: 's1', language: null });
    expect(target.attempts).toEqual([]);
    await twinkey.switchTo('language', 'l1');
    expect(target.attempts.map(({ of, keys }) => [of, keys])).toEqual([
      ['speech=1 language=1', ['s1', 'l1']],
    ]);
    expect(acknowledged()).toEqual([0, 0]);
    await end();
    expect(acknowledged()).toEqual([1, 1]);
  });

  it('begins anew when a newer key of any of them comes, one attempt at a time, and acknowledges what was placed', async () => {
    const { twinkey, target, placed, acknowledged, end } = await agentFor({ speech: 's1', language: 'l1' });
    await end();
    await twinkey.switchTo('speech', 's2');
    await twinkey.switchTo('language', 'l2');
    await twinkey.switchTo('speech', 's3');
    expect(target.attempts.slice(1).map(({ of, signal }) => [of, signal.aborted])).toEqual([
      ['speech=2 language=1', true],
      ['speech=2 language=2', true],
      ['speech=3 language=2', false],
    ]);
    expect(acknowledged()).toEqual([1, 1]);
    await end();
    expect([acknowledged(), placed.at(-1)]).toEqual([[3, 2], 'speech=3 language=2']);
    expect(target.mostAtOnce).toBe(1);
  });
});

describe('keys that cannot be put in place', () => {
  it('are not acknowledged; people see the reason, and it is tried again', async () => {
    const { twinkey, target, acknowledged, end } = await agentFor({ speech: 's1' });
    await end();
    await twinkey.switchTo('speech', 's2');
    await end(new Refused('the rollout failed'));
    await twinkey.pass(20);
    expect([acknowledged(), twinkey.refusal('speech')]).toEqual([[1], 'the rollout failed']);
    await twinkey.pass(60);
    expect(target.attempts).toHaveLength(3);
    await end();
    await twinkey.pass(10);
    expect([acknowledged(), twinkey.refusal('speech')]).toEqual([[2], undefined]);
  });

  it('for a reason that nobody foresaw keep that reason to themselves', async () => {
    const { twinkey, acknowledged, end } = await agentFor({ speech: 's1' });
    await end(new RangeError('s1 is no key'));
    await twinkey.pass(20);
    expect([acknowledged(), twinkey.refusal('speech')]).toEqual([[0], 'afterSwitch failed: RangeError']);
  });

  it('end with the agent', async () => {
    const { twinkey, target, acknowledged } = await agentFor({ speech: 's1' });
    await twinkey.close({ goodbye: false });
    expect(target.attempts[0]?.signal.aborted).toBe(true);
    expect(acknowledged()).toEqual([0]);
  });
});
