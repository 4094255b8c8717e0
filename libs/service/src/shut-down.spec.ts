import { describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { shutDown, type Running } from './shut-down.js';

const quiet = () => undefined;
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet, child: () => log };

function parts(more: Partial<Record<string, () => Promise<void>>> = {}) {
  const order: string[] = [];
  const step = (name: string) => () => {
    order.push(name);
    return more[name]?.() ?? Promise.resolve();
  };
  const app = { close: step('requests'), getHttpServer: () => ({ closeAllConnections: quiet }) };
  const running: Running = {
    background: ['sweep', 'deadline'].map((name) => ({ name, start: quiet, stop: step(name) })),
    strategy: { close: step('messages') },
    app: app as unknown as INestApplication,
    relay: { stop: step('outbox') },
    bus: { close: step('bus') },
    database: { close: step('database') },
  };
  return { order, running };
}

const inOrder = ['deadline', 'sweep', 'messages', 'requests', 'outbox', 'bus', 'database'];

describe('a service that stops', () => {
  it('first ends what starts work, then what does it, then what it needs', async () => {
    const { order, running } = parts();
    expect(await shutDown(running, { withinMs: 1_000, log })).toBe(true);
    expect(order).toEqual(inOrder);
  });

  it('does not begin a step before the one before has ended', async () => {
    let end: () => void = quiet;
    const { order, running } = parts({ messages: () => new Promise((resolve) => (end = resolve)) });
    const stopped = shutDown(running, { withinMs: 1_000, log });
    await new Promise(setImmediate);
    expect(order.at(-1)).toBe('messages');
    end();
    expect(await stopped).toBe(true);
  });

  it('goes on after a step that failed, and admits it', async () => {
    const { order, running } = parts({ outbox: () => Promise.reject(new Error('no')) });
    expect(await shutDown(running, { withinMs: 1_000, log })).toBe(false);
    expect(order).toEqual(inOrder);
  });

  it('does not wait longer than it may', async () => {
    const { running } = parts({ messages: () => new Promise(quiet) });
    expect(await shutDown(running, { withinMs: 20, log })).toBe(false);
  });
});
