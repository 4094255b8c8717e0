import { describe, expect, it } from '@jest/globals';
import { generation } from '@twinkey/contracts';
import { type HeldKey, KeyHolder } from './key-holder.js';

const held = (number: number): HeldKey => ({ key: `key of ${number}`, generation: generation(number) });

/** A call that ends when told. */
function callUnderWay(holder: KeyHolder) {
  let end: () => void = () => undefined;
  let key = '';
  const done = holder.use((current) => {
    key = current.key;
    return new Promise<void>((resolve) => (end = resolve));
  });
  return { key, end: () => (end(), done) };
}

async function isPending(promise: Promise<void>): Promise<boolean> {
  const pending = Symbol('pending');
  await Promise.resolve();
  return (await Promise.race([promise, Promise.resolve(pending)])) === pending;
}

describe('a holder without a key', () => {
  it('says so instead of handing out nothing', () => {
    const holder = new KeyHolder('speech-prod');
    expect(() => holder.credential).toThrow(/speech-prod: no key yet/);
    expect(holder.generation).toBe(0);
  });
});

describe('a credential that was handed out', () => {
  it('is updated in place', () => {
    const holder = new KeyHolder('speech-prod');
    holder.install(held(1));
    const { credential } = holder;
    holder.install(held(2));
    expect(credential.key).toBe('key of 2');
    expect(holder.credential).toBe(credential);
  });

  it('makes calls possible that are not seen', () => {
    const holder = new KeyHolder('speech-prod');
    holder.install(held(1));
    expect(holder.isUnseen).toBe(false);
    expect(holder.credential.key).toBe('key of 1');
    expect(holder.isUnseen).toBe(true);
  });
});

describe('a key switch while calls are under way', () => {
  it('has landed when the last call with an older key ended, whatever newer calls do', async () => {
    const holder = new KeyHolder('speech-prod');
    holder.install(held(1));
    const first = callUnderWay(holder);
    const second = callUnderWay(holder);
    holder.install(held(2));
    const newer = callUnderWay(holder);
    expect([first.key, newer.key]).toEqual(['key of 1', 'key of 2']);

    const landed = holder.landed(generation(2));
    await first.end();
    expect(await isPending(landed)).toBe(true);
    await second.end();
    await landed;
    await newer.end();
  });

  it('has landed at once when nothing is under way', async () => {
    const holder = new KeyHolder('speech-prod');
    holder.install(held(1));
    await holder.landed(generation(1));
  });

  it('counts a call as ended when it fails', async () => {
    const holder = new KeyHolder('speech-prod');
    holder.install(held(1));
    await expect(holder.use(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await holder.landed(generation(2));
  });
});

describe('a holder that closes', () => {
  it('waits for calls under way and gives no key to later ones', async () => {
    const holder = new KeyHolder('speech-prod');
    holder.install(held(1));
    const call = callUnderWay(holder);
    const closed = holder.close();
    expect(await isPending(closed)).toBe(true);
    await call.end();
    await closed;
    await expect(holder.use(() => Promise.resolve())).rejects.toThrow(/said goodbye/);
  });
});
