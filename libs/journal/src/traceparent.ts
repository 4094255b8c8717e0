import { AsyncLocalStorage } from 'node:async_hooks';

const current = new AsyncLocalStorage<string | undefined>();

/** Messages that `work` appends to an outbox carry this trace parent, unless they bring one of their own. */
export function duringTrace<Result>(traceparent: string | undefined, work: () => Result): Result {
  return current.run(traceparent, work);
}

/** The trace parent of the work under way, if somebody follows it. */
export function currentTraceparent(): string | undefined {
  return current.getStore();
}

/** The messages with the trace parent of whoever appends them. */
export function traced<Message extends { readonly traceparent?: string }>(
  messages: readonly Message[],
): readonly Message[] {
  const traceparent = current.getStore();
  if (traceparent === undefined) return messages;
  return messages.map((message) => ({ traceparent, ...message }));
}
