export {
  AccountKeys,
  type AccountKeysOptions,
  type FoundAccount,
  scopeOf as resourceManagerScope,
  type SlotKeys,
} from './cognitive-keys.js';
export { azureCredential } from './credential.js';
export type { CallBudget, Effect, NotSentCode } from './effect.js';
export { fingerprintOf } from './fingerprint.js';
export { type Grant, type LimiterClock, WriteLimiter } from './limiter.js';
export type { ClientOptions, KeyStoreLog } from './log.js';
export { lacking, permissionsAt, type Permission, type Permissions } from './permissions.js';
export { probeKey, type ProbeAnswer } from './probe.js';
export { accountTag, type PublicationTags } from './publication-tags.js';
export { type CurrentSecret, type SecretPlace, SecretShelf, type SecretShelfOptions } from './secrets.js';
export { SecretText } from './secret-text.js';
export { lookAtVault, type VaultLook } from './vault-look.js';
export type { VaultClientsOptions } from './vault-clients.js';
