import { binary, list, long, map, nothing, string, stringMap, timestamp, type Put } from '../amqp/put.js';
import type { AmqpMap } from '../amqp/reader.js';
import { invalidArgument } from '../errors.js';
import { NO_CONTENT, OK, type Reply } from './replies.js';
import { number, queueOf, text, type Request } from './request.js';

/** The last second of the year 9999, which .NET calls `DateTime.MaxValue`. */
const END_OF_TIME_MS = 253_402_300_799_000;

function sessionId(body: AmqpMap): string {
  const id = text(body, 'session-id');
  if (id === undefined) throw invalidArgument("'session-id' is missing");
  return id;
}

export function renewSessionLock(request: Request): Reply {
  const until = queueOf(request).sessions.renew(sessionId(request.body), request.now);
  return { ...OK, body: stringMap({ expiration: timestamp(until) }) };
}

export function getSessionState(request: Request): Reply {
  const state = queueOf(request).sessions.state(sessionId(request.body));
  return { ...OK, body: stringMap({ 'session-state': state === null ? nothing : binary(state) }) };
}

export function setSessionState(request: Request): Reply {
  const id = sessionId(request.body);
  const state = request.body.get('session-state');
  const { sessions } = queueOf(request);
  sessions.holding(id, request.now);
  sessions.setState(id, Buffer.isBuffer(state) ? Buffer.from(state) : null, request.now);
  return OK;
}

/** Sessions used since a moment; the end of time asks instead for those with messages to receive. */
export function getMessageSessions(request: Request): Reply {
  const { body } = request;
  const queue = queueOf(request);
  const asked = body.get('last-updated-time');
  const since = asked instanceof Date ? asked.getTime() : 0;
  const all = queue.sessions.list(since >= END_OF_TIME_MS ? { active: true } : { since });
  const skip = Math.max(0, number(body, 'skip', 0));
  const ids = all.slice(skip, skip + Math.max(0, number(body, 'top', 100)));
  if (ids.length === 0) return NO_CONTENT;
  const found: readonly [Put, Put][] = [
    [string('skip'), long(skip + ids.length)],
    [string('sessions-ids'), list(ids.map((id) => string(id)))],
  ];
  return { ...OK, body: map(found) };
}
