import { setTimeout as delay } from 'node:timers/promises';
import type { RotationEvent } from './answers.js';
import type { ConsoleClient } from './console-client.js';
import { Failure } from './failure.js';
import { readEvents, StreamSilent } from './server-sent-events.js';

const FIRST_BYTE_WITHIN_MS = 3_000;
const SILENT_AFTER_MS = 45_000;
const LOOK_AGAIN_AFTER_MS = 1_000;

export interface Following {
  readonly client: ConsoleClient;
  /** Where the events are: `/v1/rotations/r-…/events`. */
  readonly path: string;
  /** Only what became known after this position. */
  readonly after: number;
  readonly signal: AbortSignal;
  /** Told once per outage. */
  readonly onTrouble: (sentence: string) => void;
}

/**
 * Events as they become known, live. Where no stream gets through (a proxy holds it back, or answers otherwise)
 * it asks once a second instead; when the console goes away it waits for it and goes on where it was, so that
 * every event is seen once. Ends when `signal` aborts.
 */
export async function* follow(following: Following): AsyncGenerator<RotationEvent> {
  const { client, path, signal, onTrouble } = following;
  let { after } = following;
  let live = true;
  let inTrouble = false;

  const over = () => signal.aborted;
  while (!over()) {
    const source = live ? stream(client, path, after, signal) : page(client, path, after);
    try {
      for await (const event of source) {
        inTrouble = false;
        after = event.position;
        yield event;
      }
    } catch (error) {
      if (error instanceof Failure && !isOutage(error)) throw error;
      if (error instanceof StreamSilent || error instanceof NoStream) live = false;
      else if (!over() && !inTrouble) {
        inTrouble = true;
        onTrouble(`The console at ${client.url} does not answer; waiting for it. The rotation goes on.`);
      }
    }
    await delay(LOOK_AGAIN_AFTER_MS, undefined, { signal }).catch(() => undefined); // aborted: the loop ends
  }
}

class NoStream extends Error {
  override readonly name = 'NoStream';
}

/** The console is there and says no: waiting would not help. */
function isOutage({ exitCode }: Failure): boolean {
  return exitCode === 1 || exitCode === 5;
}

async function* stream(
  client: ConsoleClient,
  path: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<RotationEvent> {
  const closing = new AbortController();
  const headers = { accept: 'text/event-stream', 'last-event-id': String(after) };
  const either = AbortSignal.any([signal, closing.signal]);
  try {
    const answer = await client.open(`${path}?watch=1&after=${after}`, headers, either);
    const isStream = answer.headers['content-type']?.startsWith('text/event-stream') ?? false;
    answer.body.on('error', () => undefined); // closing it on purpose is no trouble
    if (!isStream) throw new NoStream();
    const patience = { firstByteWithinMs: FIRST_BYTE_WITHIN_MS, silentAfterMs: SILENT_AFTER_MS };
    for await (const { data } of readEvents(answer.body, patience)) {
      yield JSON.parse(data) as RotationEvent;
    }
  } finally {
    closing.abort();
  }
}

async function* page(client: ConsoleClient, path: string, after: number): AsyncGenerator<RotationEvent> {
  const { events } = await client.get<{ events: readonly RotationEvent[] }>(`${path}?after=${after}`);
  yield* events;
}
