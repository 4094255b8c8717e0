import type { Rotation, RotationDetail, RotationEvent } from './answers.js';
import type { ConsoleClient } from './console-client.js';
import { eventLine } from './event-line.js';
import { EXIT } from './exit-codes.js';
import { Failure } from './failure.js';
import { follow } from './follow.js';
import { duration } from './moments.js';
import type { Screen } from './screen.js';

export interface Watch {
  readonly client: ConsoleClient;
  readonly screen: Screen;
  readonly rotation: string;
  /** Only what became known after this position; 0 tells the rotation from its beginning. */
  readonly after: number;
  /** The command whose refusal ends the watch. */
  readonly command?: string;
  readonly timeoutMs: number | undefined;
}

/**
 * Prints what happens in a rotation until it is completed. A halt, a refusal of `command` and a timeout end in a
 * Failure. With `-o json` and `-o name` the lines go to stderr and only the outcome to stdout.
 */
export async function watchRotation(watch: Watch): Promise<void> {
  const { client, screen, rotation, timeoutMs } = watch;
  const over = new AbortController();
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          over.abort();
        }, timeoutMs);
  try {
    const outcome = await watchUntilOver(watch, over.signal);
    if (!outcome) throw await timedOut(client, rotation, timeoutMs ?? 0);
    if (screen.output === 'json') screen.data(JSON.stringify(outcome, null, 2));
    if (screen.output === 'name') screen.data(outcome.id);
    if (outcome.state === 'halted') throw halted(outcome);
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}

async function watchUntilOver(
  { client, screen, rotation, after, command }: Watch,
  signal: AbortSignal,
): Promise<RotationDetail | undefined> {
  const path = `/v1/rotations/${rotation}/events`;
  const events = follow({
    client,
    path,
    after,
    signal,
    onTrouble: (sentence) => {
      screen.talk(sentence);
    },
  });
  for await (const event of events) {
    print(event, screen);
    switch (event.event) {
      case 'completed':
        return client.get<RotationDetail>(`/v1/rotations/${rotation}`);
      case 'halted': {
        // An earlier halt that was replayed since is a part of the story, not its end.
        const now = await client.get<RotationDetail>(`/v1/rotations/${rotation}`);
        if (now.halt?.at === event.at) return now;
        break;
      }
      case 'refused': {
        const now = await client.get<RotationDetail>(`/v1/rotations/${rotation}`);
        if (now.state === 'refused' || event.what['command'] === command) throw refused(now, event);
        break;
      }
    }
  }
  return undefined;
}

function print(event: RotationEvent, screen: Screen): void {
  switch (screen.output) {
    case 'table':
      screen.data(eventLine(event, screen));
      return;
    case 'ndjson':
      screen.data(JSON.stringify(event));
      return;
    case 'json':
    case 'name':
      screen.talk(eventLine(event, screen));
      return;
  }
}

function halted({ id, account, halt, step }: Rotation): Failure {
  return new Failure(EXIT.failed, {
    what: `Rotation ${id} of ${account} halted${step === null ? '' : ` in ${step}`}.`,
    why: `${halt?.reason ?? 'unknown'}: ${halt?.detail ?? ''}`,
    state: 'Both keys keep working; no consumer is broken.',
    remedy: `${halt?.remedy ?? ''} Then: twinkey replay ${id}`.trim(),
  });
}

function refused({ id, account, state }: Rotation, event: RotationEvent): Failure {
  const text = (name: string) => {
    const value = event.what[name];
    return typeof value === 'string' ? value : '';
  };
  return new Failure(EXIT.conflict, {
    what: `The rotator refused to ${text('command')} rotation ${id} of ${account}.`,
    why: `${text('code')}: ${text('detail')}`,
    state: state === 'refused' ? 'Nothing was changed.' : `The rotation is ${state}; nothing was changed.`,
    remedy: `See: twinkey accounts show ${account}`,
  });
}

async function timedOut(client: ConsoleClient, rotation: string, timeoutMs: number): Promise<Failure> {
  const { id, account, state, step, waiting } = await client.get<RotationDetail>(`/v1/rotations/${rotation}`);
  return new Failure(EXIT.timedOut, {
    what: `Rotation ${id} of ${account} is not completed after ${duration(timeoutMs / 1_000)}.`,
    why: waiting ? `It waits for ${waiting.for}: ${waiting.detail}` : `It is ${state}.`,
    state: `It goes on${step === null ? '' : ` (${step})`}; no consumer is broken.`,
    remedy: `Look again with: twinkey rotations watch ${id}`,
  });
}
