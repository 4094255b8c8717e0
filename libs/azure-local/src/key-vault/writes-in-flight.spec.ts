import { describe, expect, it } from '@jest/globals';
import { WritesInFlight } from './writes-in-flight.js';

describe('a write that is under way', () => {
  it('keeps others from its name until it is over, and from no other name', async () => {
    let end: () => void = () => undefined;
    const writes = new WritesInFlight(
      () =>
        new Promise<void>((resolve) => {
          end = resolve;
        }),
    );
    const first = writes.perform('Name', () => 'first');
    expect(await writes.perform('name', () => 'second')).toBeUndefined();
    const endOfFirst = end;
    const other = writes.perform('other', () => 'other');
    end();
    expect(await other).toBe('other');
    endOfFirst();
    expect(await first).toBe('first');
    const again = writes.perform('name', () => 'again');
    end();
    expect(await again).toBe('again');
  });

  it('frees its name when it fails', async () => {
    const writes = new WritesInFlight(() => Promise.resolve());
    const failing = writes.perform('name', () => {
      throw new Error('broken');
    });
    await expect(failing).rejects.toThrow('broken');
    expect(await writes.perform('name', () => 'next')).toBe('next');
  });
});
