import type { RotationEvent } from '@twinkey/contracts';
import type { Metrics } from '@twinkey/service';
import { countTold } from './count-told.js';
import { traceTold } from './trace-told.js';

/** Counts and traces what people are told, in the process that committed it and so once. */
export function measureTold(metrics: Metrics): (event: RotationEvent) => void {
  const count = countTold(metrics);
  return (event) => {
    count(event);
    traceTold(event);
  };
}
