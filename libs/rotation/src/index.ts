export {
  decideCommand,
  decideOutcome,
  decideRequest,
  type Decision,
  type RefusalCode,
  type RotationRequest,
} from './decide.js';
export type { RingEvent, Waiting } from './events.js';
export { evolve } from './evolve.js';
export { emptyRing, openRotations, type KeyRing, type OpenRotation } from './key-ring.js';
export { NOTHING_SEEN, type Observed, type Probe, type SeenKeys, type SeenVault } from './observed.js';
export type { Next } from './next.js';
export { plan } from './plan.js';
export { hasEvidence, stepOf } from './steps.js';
export { termsFor, type Terms } from './terms.js';
export { wasToldOf, type Obstruction } from './waiting.js';
