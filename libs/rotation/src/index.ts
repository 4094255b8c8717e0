export {
  decideAhead,
  decideCommand,
  decideLook,
  decideOutcome,
  decideRequest,
  type Decision,
  type RefusalCode,
  type RotationRequest,
} from './decide.js';
export { inspect } from './drift.js';
export type { RingEvent, Waiting } from './events.js';
export { evolve } from './evolve.js';
export { emptyRing, openRotations, type KeyRing, type OpenRotation } from './key-ring.js';
export { NOTHING_SEEN, type Observed, type Probe, type SeenKeys, type SeenVault } from './observed.js';
export { explain, type Explanation, type Possibility, type ToldRotation } from './explain.js';
export { foresee, type Foresight } from './foresee.js';
export { newIncarnation } from './incarnation.js';
export type { Next } from './next.js';
export { plan } from './plan.js';
export { hasEvidence, stepOf } from './steps.js';
export { termsFor, type PolicyTerms, type Terms } from './terms.js';
export { wasToldOf, type Obstruction } from './waiting.js';
