import { describe, expect, it } from '@jest/globals';
import { generation } from '@twinkey/contracts';
import { type Followed, hear, install, isBehind, judge, type Version } from './follow.js';

const at = (installed: number, minimum = installed): Followed => ({
  installed: generation(installed),
  minimum: generation(minimum),
});
const published = (number: number): Version => ({ kind: 'published', generation: generation(number) });
const foreign: Version = { kind: 'foreign' };
const missing: Version = { kind: 'unreadable', why: 'missing' };
const disabled: Version = { kind: 'unreadable', why: 'disabled' };

describe('an instance that hears of generations', () => {
  it.each([
    ['a newer one', at(3), 4, at(3, 4), true],
    ['the one in use', at(3), 3, at(3), false],
    ['an older one, late', at(3), 2, at(3), false],
    ['the same one twice', at(3, 4), 4, at(3, 4), true],
    ['an older one after a newer one', at(3, 5), 4, at(3, 5), true],
    ['that nothing is published', at(0), 0, at(0), false],
    ['the first one', at(0), 1, at(0, 1), true],
  ])('hears %s', (_, followed, named, then, behind) => {
    const heard = hear(followed, generation(named));
    expect(heard).toEqual(then);
    expect(isBehind(heard)).toBe(behind);
  });
});

describe('an instance that reads Key Vault', () => {
  it.each([
    ['the announced generation', at(3, 4), published(4), 'install'],
    ['a newer one than was announced', at(3, 4), published(6), 'install'],
    ['a newer one that nobody announced, while it is lapsed', at(3), published(4), 'install'],
    ['the first one', at(0, 1), published(1), 'install'],
    ['a lagging replica: newer than ours, older than announced', at(3, 5), published(4), 'read-again'],
    ['a lagging replica: the one in use', at(3, 4), published(3), 'read-again'],
    ['the one in use, and no other was announced', at(3), published(3), 'keep'],
    ['an older one, although nobody announced another', at(3), published(2), 'keep'],
    ['a version written by hand instead of the announced one', at(3, 4), foreign, 'read-again'],
    ['a version written by hand', at(3), foreign, 'keep'],
    ['a version written by hand before anything was published', at(0), foreign, 'keep'],
    ['a disabled version', at(3), disabled, 'keep'],
    ['nothing where something was announced', at(0, 1), missing, 'read-again'],
  ])('finds %s', (_, followed, version, verdict) => {
    expect(judge(followed, version)).toBe(verdict);
  });
});

describe('an instance that installed a generation', () => {
  it('is up to date when it is the announced one', () => {
    expect(install(at(3, 4), generation(4))).toEqual(at(4));
  });

  it('holds it as the minimum when nobody had announced it', () => {
    expect(install(at(3), generation(5))).toEqual(at(5));
  });
});
