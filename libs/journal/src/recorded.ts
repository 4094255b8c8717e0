import type { JournalEvent } from './change.js';
import type { Log } from './log.js';

/** Longer texts are for the journal itself. */
const LONGEST_TEXT = 300;

/** What one commit added to the journal of a stream. */
export interface Recorded {
  readonly stream: string;
  readonly events: readonly JournalEvent[];
  /** More fields for the log, which the events do not repeat: the rotation that is open, say. */
  readonly about?: Readonly<Record<string, unknown>> | undefined;
}

/** One log line for each event, after its commit: what a log has is a part of what the journal has, in the same words. */
export function tellRecorded(log: Log, { stream, events, about = {} }: Recorded): void {
  for (const { type, data } of events) {
    log.info({ ...plainFields(data), ...about, stream, event: type }, `Recorded: ${type}`);
  }
}

/** Lists and objects stay in the journal. */
function plainFields(data: unknown): Record<string, unknown> {
  if (typeof data !== 'object' || data === null) return {};
  return Object.fromEntries(
    Object.entries(data).filter(
      ([name, value]) =>
        name !== 'event' &&
        (typeof value === 'number' ||
          typeof value === 'boolean' ||
          (typeof value === 'string' && value.length <= LONGEST_TEXT)),
    ),
  );
}
