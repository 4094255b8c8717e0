import type { Change } from './change.js';

/**
 * Takes from `waiting`, in order, what may be committed by one statement: at most one change of each stream, since
 * the second is meant to follow the first, and at most one of each inbox message, since only the first may pass.
 * What is passed over holds back everything later of its stream. Sorted by stream: see commit-changes.ts.
 */
export function takeBatch<Item extends { readonly change: Change }>(waiting: Item[], limit: number): Item[] {
  const taken: Item[] = [];
  const left: Item[] = [];
  const streams = new Set<string>();
  const messages = new Set<string>();
  for (const item of waiting) {
    const { stream, inbox } = item.change;
    const message = inbox && JSON.stringify([inbox.handler, inbox.messageId]);
    const free = !streams.has(stream) && (message === undefined || !messages.has(message));
    if (free && taken.length < limit) {
      taken.push(item);
      if (message !== undefined) messages.add(message);
    } else {
      left.push(item);
    }
    streams.add(stream);
  }
  waiting.splice(0, waiting.length, ...left);
  return taken.sort((a, b) => (a.change.stream < b.change.stream ? -1 : 1));
}
