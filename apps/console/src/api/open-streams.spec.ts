import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { ANYONE } from '@twinkey/service';
import { Pulse } from '../read-model/pulse.js';
import { EventsController } from './events.controller.js';
import { MOST_STREAMS, OpenStreams } from './open-streams.js';

describe('the streams of a console', () => {
  it('are as many as it can send, and one more when one has ended', async () => {
    const streams = new OpenStreams(1);
    let end: () => void = () => undefined;
    const first = streams.send(() => new Promise<void>((resolve) => (end = resolve)));
    const nothing = () => Promise.resolve();
    await expect(streams.send(nothing)).rejects.toMatchObject({
      status: 429,
      code: 'too-many-streams',
      retryAfterSeconds: 5,
    });
    end();
    await first;
    await expect(streams.send(nothing)).resolves.toBeUndefined();
    await expect(streams.send(() => Promise.reject(new Error('broke')))).rejects.toThrow('broke');
    await expect(streams.send(nothing)).resolves.toBeUndefined();
  });

  it('are counted where they are asked for, before the answer is begun', async () => {
    const controller = new EventsController(
      undefined as never,
      new Pulse(),
      new OpenStreams(0),
      () => new Date(0),
    );
    const reply = undefined as never; // nothing of it may be touched
    const asked = controller.all({ after: 0, limit: 1, watch: '' }, {}, ANYONE, reply);
    await expect(asked).rejects.toMatchObject({ status: 429 });
  });

  it('are as many as the page about who asks says', async () => {
    const page = await readFile(new URL('../../../../docs/how-to/say-who-asks.md', import.meta.url), 'utf8');
    expect(page).toMatch(new RegExp(`\\| streams of events of a console +\\| ${MOST_STREAMS} `));
  });
});
