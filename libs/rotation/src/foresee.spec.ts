import { describe, expect, it } from '@jest/globals';
import { ConsumerName, RotationId } from '@twinkey/contracts';
import { decideCommand } from './decide.js';
import { foresee } from './foresee.js';
import { account, published, rotationId, SmallWorld, terms } from './testing/small-world.js';

const by = { account, by: 'ana', rotationId };
function told(world: SmallWorld, command: Parameters<typeof decideCommand>[1]): void {
  const decision = decideCommand(world.ring, command, world.now);
  if (!decision.accepted) throw new Error(decision.detail);
  world.record(...decision.events);
}
function haltedWhen(over: (world: SmallWorld) => boolean): SmallWorld {
  const world = published();
  world.request();
  while (!over(world)) world.step();
  told(world, { command: 'halt', ...by });
  return world;
}
const seen = (world: SmallWorld, policy = terms) => foresee(world.ring, rotationId, policy);

describe('what a replay would do', () => {
  it('is to look, when nothing is noted yet', () => {
    expect(seen(haltedWhen(() => true))).toMatchObject({
      step: null,
      safe: true,
      next: expect.stringContaining('lists the keys'),
    });
  });

  it('is to ask everyone, then to regenerate', () => {
    const world = haltedWhen(({ ring }) => ring.rotation?.startedFrom != null);
    expect(seen(world)).toMatchObject({
      step: 'switch-to-key2',
      next: expect.stringMatching(/asks every instance about generation 1, and regenerates key1/),
      safe: true,
    });
  });

  it('is to regenerate at once, when everyone has acknowledged', () => {
    const world = haltedWhen(({ ring }) => ring.evidence?.rotationId === rotationId);
    expect(seen(world)).toMatchObject({
      step: 'regenerate-key1',
      next: expect.stringContaining('regenerates key1'),
    });
  });

  it('is no second regeneration, when the first is done', () => {
    const world = haltedWhen(({ regenerated }) => regenerated.length === 1);
    expect(seen(world)).toMatchObject({
      safe: true,
      next: expect.stringContaining('key1 is replaced already'),
      because: expect.stringContaining('not regenerated again'),
    });
  });

  it('is to wait for a call in doubt', () => {
    const world = published();
    world.request();
    world.fates = ['never'];
    while (world.ring.slots.key1.regenerations.length === 0) world.step();
    told(world, { command: 'halt', ...by });
    expect(seen(world)).toMatchObject({ safe: true, next: expect.stringContaining('call in doubt') });
  });

  it('is to publish, when the key in use is all that is left', () => {
    const world = haltedWhen(({ ring }) => ring.rotation?.keysReplaced === 1);
    expect(seen(world)).toMatchObject({
      step: 'switch-to-key1',
      next: expect.stringContaining('publishes it'),
    });
  });

  it('is what the plan then does', () => {
    const world = haltedWhen(({ ring }) => ring.evidence?.rotationId === rotationId);
    const { step } = seen(world) ?? {};
    told(world, { command: 'replay', ...by });
    world.run();
    expect(step).toBe('regenerate-key1');
    expect(world.regenerated).toEqual(['key1', 'key2']);
  });

  it('is told of a rotation in line as well, and of none that is over', () => {
    const world = haltedWhen(({ ring }) => ring.rotation?.startedFrom != null);
    world.request(RotationId.parse('r-0000000000e1'), { scope: 'emergency', slot: 'key1' });
    expect(seen(world)).toMatchObject({ step: 'switch-to-key2' });
    world.run();
    told(world, { command: 'replay', ...by });
    world.run();
    expect(seen(world)).toBeNull();
  });
});

describe('a replay that may interrupt somebody', () => {
  it('is one with an excused consumer', () => {
    const world = haltedWhen(({ ring }) => ring.rotation?.startedFrom != null);
    told(world, { command: 'waive', ...by, consumer: ConsumerName.parse('b'), reason: 'gone' });
    expect(seen(world)).toMatchObject({ safe: false, because: expect.stringContaining('b is excused') });
  });

  it('is one that the policy lets go on without those who were silent', () => {
    const world = published();
    world.silent.add('b');
    world.request();
    world.run();
    expect(seen(world)).toMatchObject({ safe: true });
    expect(seen(world, { ...terms, onOverdue: 'force' })).toMatchObject({ safe: false });
  });
});
