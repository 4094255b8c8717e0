// Looks that show the world of a moment ago.
import { describe, expect, it } from '@jest/globals';
import { Fingerprint, RotationId } from '@twinkey/contracts';
import { published, terms } from './testing/small-world.js';

const second = RotationId.parse('r-00000000000b');

describe('a list of keys that is late', () => {
  it('does not decide which keys a rotation retires', () => {
    const world = published();
    world.request();
    world.run();
    world.lateList = { key1: 2, key2: 1 };
    world.request(second);
    while (world.ring.rotation?.startedFrom === null && world.now < 1_100_000) {
      world.step();
      if (world.asked.filter((next) => next.do === 'list-keys').length > 3) world.lateList = null;
    }
    expect(world.run()).toEqual({ do: 'rest' });
    expect(world.keys).toEqual({ key1: 3, key2: 3 });
  });

  it('is asked for anew, with pauses, instead of being believed in the end', () => {
    const world = published();
    world.request();
    while (world.regenerated.length === 0) world.step();
    world.crash();
    world.lateList = { key1: 1, key2: 1 };
    const before = world.asked.length;
    while (world.next().do !== 'record') {
      world.step();
      if (world.now > 1_000_000 + terms.quiescenceMs - 500) world.lateList = null;
    }
    const lists = world.asked.slice(before).filter((next) => next.do === 'list-keys').length;
    expect(lists).toBeGreaterThan(1);
    expect(lists).toBeLessThanOrEqual(11);
    expect(world.run()).toEqual({ do: 'rest' });
    expect(world.regenerated).toEqual(['key1', 'key2']);
  });

  it('that never agrees with the answer belongs to a stranger who came after us', () => {
    const world = published();
    world.request();
    while (world.regenerated.length === 0) world.step();
    world.crash();
    world.keys = { ...world.keys, key1: 9 };
    expect(world.run()).toEqual({ do: 'rest' });
    expect(world.vault).toMatchObject({ fingerprint: world.fingerprint('key1', 9) });
  });
});

describe('a vault that lags', () => {
  it('does not make the plan publish again', () => {
    const world = published();
    world.request();
    const { vault } = world;
    while (world.next().do !== 'publish') world.step();
    world.step();
    world.lateVault = vault;
    const until = world.now + terms.quiescenceMs / 2;
    while (world.now < until) world.step();
    world.lateVault = null;
    expect(world.run()).toEqual({ do: 'rest' });
    expect(world.actions).toEqual(['regenerate key1', 'publish key1 as 2', 'regenerate key2']);
  });

  it('for longer than any replica is not lagging: a live key is published', () => {
    const world = published();
    world.request();
    world.now += terms.quiescenceMs;
    world.vault = 'missing';
    expect(world.run()).toEqual({ do: 'rest' });
    expect(world.actions[0]).toBe('publish key2 as 2');
  });
});

describe('a gate that opens long after the vault was read', () => {
  it('reads the vault again, and regenerates nothing while someone else wrote it', () => {
    const world = published();
    world.silent.add('b');
    world.request();
    while (world.next().do !== 'wait') world.step();
    const until = world.now + 3 * terms.callDeadlineMs;
    while (world.now < until) world.step();
    world.vault = {
      slot: 'key1',
      fingerprint: world.fingerprint('key1'),
      generation: 1,
      version: 'by-hand',
      untagged: true,
    };
    world.consumers = { a: world.fingerprint('key1'), b: world.fingerprint('key1') };
    world.silent.clear();
    world.outcome('acknowledged');
    while (world.actions.length === 0) {
      world.step();
      world.check();
    }
    expect(world.actions).toEqual(['publish key2 as 2']);
  });
});

describe('drift that goes away by itself', () => {
  it('has everyone asked again, since nothing acknowledged before it counts', () => {
    const world = published();
    world.request();
    while (world.next().do !== 'regenerate') world.step();
    const { vault } = world;
    world.vault = {
      slot: 'key1',
      fingerprint: Fingerprint.parse('f'.repeat(32)),
      generation: 1,
      version: 'x',
    };
    world.crash();
    while (world.ring.drift === null) world.step();
    world.vault = vault;
    world.crash();
    const began = world.now;
    expect(world.run()).toEqual({ do: 'rest' });
    expect(world.now - began).toBeLessThan(terms.acknowledgeWithinMs);
  });
});

describe('a stranger who regenerates the key in use while the last old one dies', () => {
  it('is answered before the rotation is called complete', () => {
    const world = published();
    world.request();
    while (world.regenerated.length < 1 || world.ring.published?.slot !== 'key1') world.step();
    while (world.next().do !== 'regenerate') world.step();
    world.keys = { ...world.keys, key1: 8 };
    world.consumers = { a: null, b: null };
    while (world.step().do !== 'rest');
    expect(world.vault).toMatchObject({ fingerprint: world.fingerprint('key1', 8) });
    expect(world.ring.rotation).toBeNull();
  });
});
