// Events go into the ring through the production fold only.
import { evolve, type RingEvent } from '@twinkey/rotation';
import type { World } from './world.js';

export function record(world: World, ...events: readonly RingEvent[]): World {
  let { ring } = world;
  for (const event of events) ring = evolve(ring, event);
  return { ...world, ring };
}
