import type { ServerResponse } from 'node:http';
import type { Database } from '@twinkey/journal';
import { eventsAfter } from '../read-model/feed.js';
import type { Pulse } from '../read-model/pulse.js';
import type { ConsoleTables } from '../read-model/tables.js';
import type { EventView } from './answers.js';

/** Proxies drop a silent connection after a minute or so, and a client can tell that the stream is alive. */
const SAY_SOMETHING_AFTER_MS = 15_000;
const EVENTS_PER_LOOK = 200;

export interface Wanted {
  readonly after: number;
  readonly rotation?: string;
  /** Whether whoever asked may not be told any more. */
  readonly isOver: () => boolean;
}

/**
 * Sends events as they become known until the client leaves, its token is over or the console shuts down. The id of each is its
 * position: a client that comes back with `Last-Event-ID` misses nothing and sees nothing twice.
 */
export async function streamEvents(
  db: Database<ConsoleTables>,
  pulse: Pulse,
  response: ServerResponse,
  { isOver, ...of }: Wanted,
): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => {
    gone.abort();
  });
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  response.write('retry: 1000\n\n');

  let { after } = of;
  let saidAt = Date.now();
  while (!gone.signal.aborted && !pulse.isClosed && !isOver()) {
    // Taken before looking: what is recorded meanwhile ends the wait at once.
    const next = pulse.next(gone.signal);
    const events = await eventsAfter(db, { ...of, after, limit: EVENTS_PER_LOOK });
    for (const event of events) response.write(asServerSentEvent(event));
    after = events.at(-1)?.position ?? after;
    if (events.length > 0) saidAt = Date.now();
    if (events.length === EVENTS_PER_LOOK) continue;
    if (Date.now() - saidAt >= SAY_SOMETHING_AFTER_MS) {
      response.write(': still here\n\n');
      saidAt = Date.now();
    }
    if (response.writableNeedDrain) await drained(response, gone.signal);
    await next;
  }
  response.end();
}

function asServerSentEvent(event: EventView): string {
  return `id: ${event.position}\nevent: ${event.event}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** A client that reads slowly is not sent more than its connection takes. */
function drained(response: ServerResponse, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      gone.removeEventListener('abort', done);
      resolve();
    };
    response.on('drain', done);
    gone.addEventListener('abort', done, { once: true });
  });
}
