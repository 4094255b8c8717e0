export {
  DEFAULT_ALLOW_LIST,
  InvalidAllowList,
  readAllowList,
  refusalOf,
  type AllowList,
  type Destination,
} from './allow-list.js';
export {
  DEFAULT_ANSWER_BYTES,
  DEFAULT_LIMIT_MS,
  deliver,
  type Delivery,
  type Lookup,
  type Surroundings,
} from './deliver.js';
export { generateKeyPair, generateSharedSecret } from './generate.js';
export type { Outcome, RetryReason } from './outcome.js';
export {
  InvalidSecret,
  readSigningSecret,
  readVerifier,
  type SignatureKind,
  type SigningSecret,
  type Verifier,
} from './secret.js';
export { sign, type WebhookHeaders } from './sign.js';
export { REPLAY_WINDOW_SECONDS, verify, type NotVerified, type Received, type Verified } from './verify.js';
