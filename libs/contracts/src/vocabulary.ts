// The words of the house as types. Everything else in the repository spells them this way.
import { z } from 'zod';

/** The two keys of an account. ARM's spelling (`Key1`) exists only at its border, in `key-store`. */
export const KeySlot = z.enum(['key1', 'key2']);
export type KeySlot = z.infer<typeof KeySlot>;

export const SLOTS = ['key1', 'key2'] as const;

/** The slot that is not `slot`. */
export function otherSlot(slot: KeySlot): KeySlot {
  return slot === 'key1' ? 'key2' : 'key1';
}

const ACCOUNT_ID =
  /^\/subscriptions\/([^/]+)\/resourcegroups\/([^/]+)\/providers\/microsoft\.cognitiveservices\/accounts\/([^/]+)$/i;

/** An account's ARM resource id in canonical case; ARM itself ignores case, so comparing needs one spelling. */
export const AccountId = z
  .string()
  .regex(ACCOUNT_ID, 'must be the ARM id of a Cognitive Services account')
  .transform(canonicalAccountId)
  .brand<'AccountId'>();
export type AccountId = z.infer<typeof AccountId>;

function canonicalAccountId(id: string): string {
  const [, subscription = '', group = '', name = ''] = ACCOUNT_ID.exec(id) ?? [];
  return `/subscriptions/${subscription.toLowerCase()}/resourceGroups/${group.toLowerCase()}/providers/Microsoft.CognitiveServices/accounts/${name.toLowerCase()}`;
}

/** The parts of an account's ARM id, all in lower case. */
export function accountParts(account: AccountId): {
  subscription: string;
  resourceGroup: string;
  name: string;
} {
  const [, subscription = '', resourceGroup = '', name = ''] = ACCOUNT_ID.exec(account) ?? [];
  return { subscription, resourceGroup, name };
}

/** What people call the account: the last part of its id. */
export function accountName(account: AccountId): string {
  return accountParts(account).name;
}

/** HMAC-SHA-256 of a key under the installation's salt, 32 hex digits kept. Safe to store and compare. */
export const Fingerprint = z
  .string()
  .regex(/^[0-9a-f]{32}$/, 'must be 32 hex digits')
  .brand<'Fingerprint'>();
export type Fingerprint = z.infer<typeof Fingerprint>;

/** A fingerprint as people see it: its first 12 digits. */
export function shortFingerprint(fingerprint: Fingerprint): string {
  return fingerprint.slice(0, 12);
}

/** The growing number of an account's publications; 0 means that nothing was published yet. */
export const Generation = z.int().min(0).brand<'Generation'>();
export type Generation = z.infer<typeof Generation>;

export function generation(value: number): Generation {
  return Generation.parse(value);
}

/** `r-` and 12 hex digits. Derived from account and due time for scheduled rotations, random otherwise. */
export const RotationId = z
  .string()
  .regex(/^r-[0-9a-f]{12}$/, 'must be "r-" and 12 hex digits')
  .brand<'RotationId'>();
export type RotationId = z.infer<typeof RotationId>;

/**
 * What a rotation retires: the keys of both slots, only the one that is not in use (`half`), or first of all the key
 * of one slot that has leaked (`emergency`).
 */
export const RotationScope = z.enum(['both', 'half', 'emergency']);
export type RotationScope = z.infer<typeof RotationScope>;

/** The name under which a consumer is registered. */
export const ConsumerName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be 1 to 63 lower-case letters, digits and dashes')
  .brand<'ConsumerName'>();
export type ConsumerName = z.infer<typeof ConsumerName>;

/** One running process of a consumer, as the notifier named it when it registered. At most 40 characters: it names a subscription. */
export const InstanceId = z
  .string()
  .regex(/^i-[0-9a-f]{16}$/, 'must be "i-" and 16 hex digits')
  .brand<'InstanceId'>();
export type InstanceId = z.infer<typeof InstanceId>;

/** A moment, as ISO 8601 text in UTC. */
export const Moment = z.iso.datetime();
export type Moment = z.infer<typeof Moment>;

/** Where an account's key is found: never the key. Without `version` it means the current one. */
export const SecretReference = z.object({
  vaultUrl: z.url(),
  name: z.string().regex(/^[0-9a-zA-Z-]{1,127}$/, 'must be 1 to 127 letters, digits and dashes'),
  version: z.string().optional(),
});
export type SecretReference = z.infer<typeof SecretReference>;

/** What people see a rotation do. Derived from the key ring, never stored. */
export const Step = z.enum(['switch-to-key2', 'regenerate-key1', 'switch-to-key1', 'regenerate-key2']);
export type Step = z.infer<typeof Step>;

/** The four steps in the order of a rotation that starts with `published` in use. */
export function stepsFrom(published: KeySlot): readonly Step[] {
  const spare = otherSlot(published);
  return [`switch-to-${published}`, `regenerate-${spare}`, `switch-to-${spare}`, `regenerate-${published}`];
}

/** The steps of a rotation of that scope that starts with `published` in use. */
export function stepsOf(
  published: KeySlot,
  { scope, slot }: { scope: RotationScope; slot: KeySlot | null },
): readonly Step[] {
  const all = stepsFrom(published);
  switch (scope) {
    case 'both':
      return all;
    case 'half':
      return all.slice(0, 2);
    case 'emergency':
      return slot === published ? all.slice(2) : all.slice(0, 2);
    default:
      return scope satisfies never;
  }
}
