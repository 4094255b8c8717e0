import { until } from '@twinkey/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Loop } from './loop.js';

const lines: string[] = [];
const log = {
  debug: note('debug'),
  info: note('info'),
  warn: note('warn'),
  error: note('error'),
  child: () => log,
};
function note(level: string) {
  return (_: object, message: string) => void lines.push(`${level}: ${message}`);
}

let loop: Loop | undefined;
afterEach(async () => {
  await loop?.stop();
  lines.length = 0;
});

describe('a loop', () => {
  it('goes on after trouble, and says it once', async () => {
    let turn = 0;
    loop = new Loop('tick', 1, log, () => {
      turn += 1;
      return turn < 4 ? Promise.reject(new Error('no database')) : Promise.resolve();
    });
    loop.start();
    await until(() => turn > 4);
    expect(lines).toEqual(['error: no database', 'info: It works again']);
  });

  it('is stopped only when its work has ended', async () => {
    let end = (): void => undefined;
    let ended = false;
    loop = new Loop('tick', 1, log, () => new Promise<void>((resolve) => (end = resolve)));
    loop.start();
    const stopping = loop.stop().then(() => (ended = true));
    await Promise.resolve();
    expect(ended).toBe(false);
    end();
    await stopping;
    expect(ended).toBe(true);
  });

  it('tells its work to hurry when it is stopped, and takes its giving up for no trouble', async () => {
    loop = new Loop(
      'survey',
      1,
      log,
      (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            reject(signal.reason as Error);
          });
        }),
    );
    loop.start();
    await loop.stop();
    expect(lines).toEqual([]);
  });

  it('turns at once when it is woken from its pause', async () => {
    let turns = 0;
    loop = new Loop('survey', 3_600_000, log, () => {
      turns += 1;
      return Promise.resolve();
    });
    loop.start();
    await until(() => turns === 1);
    await until(() => {
      loop?.wake();
      return turns > 1;
    });
  });

  it('does not turn any more once it is stopped', async () => {
    let turns = 0;
    loop = new Loop('survey', 0, log, () => {
      turns += 1;
      return Promise.resolve();
    });
    loop.start();
    await until(() => turns > 1);
    await loop.stop();
    const at = turns;
    loop.wake();
    expect(turns).toBe(at);
  });
});
