export { judge } from './checks.js';
export { digest12, rotationIdOf } from './digest.js';
export { asked, nextDue, type Due } from './due.js';
export { parseDuration, type Duration } from './duration.js';
export { concerns, hear, type Observed, type OpenRotation, type Presence } from './observed.js';
export {
  readPolicy,
  type PolicyFault,
  type ReadPolicy,
  type Schedule,
  type WrittenPolicy,
} from './policy.js';
export { sentenceOf, type Ask, type AskReason, type Verdict, type Wait, type WaitReason } from './reasons.js';
export { secretNameOf, sharedSecrets, type SharedSecret } from './secret.js';
