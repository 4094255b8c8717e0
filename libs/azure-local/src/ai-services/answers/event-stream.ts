import { isObject, type Reply } from '../../host/plugin.js';

/** Server-sent events, all at once: what the clients read is the form, not the pace. A text is sent as it is. */
export function eventStream(events: readonly unknown[]): Reply {
  const body = events.map((event) => {
    const name = isObject(event) && typeof event['type'] === 'string' ? `event: ${event['type']}\n` : '';
    return `${name}data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`;
  });
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' },
    body: body.join(''),
  };
}
