import { describe, expect, it } from '@jest/globals';
import { SettlingOrder } from './settling-order.js';

/** Settlements whose ends the spec decides. */
function settlements() {
  const order = new SettlingOrder();
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const start = (kind: 'completion' | 'other', name: string) =>
    order.run(kind, () => {
      begun.push(name);
      return new Promise<void>((resolve) => ends.set(name, resolve));
    });
  return { begun, start, end: (name: string) => ends.get(name)?.(), order };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('settlements of one receiver', () => {
  it('are sent together while all of them are completions', async () => {
    const { begun, start } = settlements();
    void start('completion', 'a');
    void start('completion', 'b');
    await turn();
    expect(begun).toEqual(['a', 'b']);
  });

  it('wait when one of them is not, which goes out alone', async () => {
    const { begun, start, end } = settlements();
    void start('completion', 'a');
    void start('other', 'b');
    void start('other', 'c');
    void start('completion', 'd');
    await turn();
    expect(begun).toEqual(['a']);
    end('a');
    await turn();
    expect(begun).toEqual(['a', 'b']);
    end('b');
    await turn();
    expect(begun).toEqual(['a', 'b', 'c']);
    end('c');
    await turn();
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
  });

  it('go on after one that failed', async () => {
    const { begun, start, order } = settlements();
    await expect(order.run('other', () => Promise.reject(new Error('lock lost')))).rejects.toThrow(
      'lock lost',
    );
    void start('completion', 'a');
    await turn();
    expect(begun).toEqual(['a']);
  });
});
