import type { RotationEvent } from '@twinkey/contracts';
import type { Metrics } from '@twinkey/service';

/** Counts what people were told of rotations. */
export function countTold(metrics: Metrics): (event: RotationEvent) => void {
  return ({ what, rotationId }) => {
    switch (what.event) {
      case 'requested':
      case 'replayed':
      case 'refused':
        metrics.count('twinkey_rotations_total', { outcome: what.event });
        return;
      case 'halted':
        // An account at rest that cannot be cared for is told in the same words.
        if (rotationId !== undefined) metrics.count('twinkey_rotations_total', { outcome: 'halted' });
        return;
      case 'completed':
        metrics.count('twinkey_rotations_total', { outcome: 'completed' });
        metrics.count('twinkey_keys_replaced_total', {}, what.keysReplaced);
        metrics.observe('twinkey_rotation_seconds', {}, what.seconds);
        return;
      case 'step-done':
        metrics.observe('twinkey_step_seconds', { step: what.step }, what.seconds);
        return;
      case 'forced':
        metrics.count('twinkey_gates_forced_total', {});
        return;
      case 'drift':
        metrics.count('twinkey_drift_found_total', { kind: what.kind });
        return;
      default:
    }
  };
}
