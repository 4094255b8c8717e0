import type { RingEvent } from './events.js';
import type { KeyRing } from './key-ring.js';

/** The events that say why nothing can be done now. */
export type Obstruction = Extract<RingEvent, { type: 'WaitingFor' | 'CareHindered' }>;

/** What the ring remembers of an obstruction, so that the same one is told once, however often it is met. */
export function nameOf(event: Obstruction): string {
  return event.type === 'CareHindered'
    ? `hindered: ${event.reason}`
    : `${event.what.for}: ${event.what.code ?? event.what.detail}`;
}

export function wasToldOf(ring: KeyRing, event: Obstruction): boolean {
  return ring.waiting === nameOf(event);
}
