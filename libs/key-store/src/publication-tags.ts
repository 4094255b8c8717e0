import {
  type AccountId,
  accountName,
  Fingerprint,
  generation,
  type Generation,
  KeySlot,
  RotationId,
} from '@twinkey/contracts';

/** What a published secret version says of itself. A version that does not say all of it is a stranger's. */
export interface PublicationTags {
  /** As `accountTag` writes it. */
  readonly account: string;
  readonly slot: KeySlot;
  readonly generation: Generation;
  readonly fingerprint: Fingerprint;
  /** Absent when the publication belonged to no rotation: the first one, or drift healed. */
  readonly rotation?: RotationId;
}

const TAG = {
  account: 'twinkey-account',
  slot: 'twinkey-slot',
  generation: 'twinkey-generation',
  fingerprint: 'twinkey-fingerprint',
  rotation: 'twinkey-rotation',
} as const;

/** Key Vault takes tag values of at most 256 characters; the longest resource group and account names give more. */
const TAG_VALUE_MAX = 256;

/** The account as its secret's tag spells it: the id, or the bare name when the id is too long for a tag. */
export function accountTag(account: AccountId): string {
  return account.length <= TAG_VALUE_MAX ? account : accountName(account);
}

export function writeTags(tags: PublicationTags): Record<string, string> {
  return {
    [TAG.account]: tags.account,
    [TAG.slot]: tags.slot,
    [TAG.generation]: String(tags.generation),
    [TAG.fingerprint]: tags.fingerprint,
    ...(tags.rotation === undefined ? {} : { [TAG.rotation]: tags.rotation }),
  };
}

/** `null` when the version was not published by twinkey, or someone changed a tag into something else. */
export function readTags(tags: Readonly<Record<string, string>> | undefined): PublicationTags | null {
  const account = tags?.[TAG.account];
  const slot = KeySlot.safeParse(tags?.[TAG.slot]);
  const fingerprint = Fingerprint.safeParse(tags?.[TAG.fingerprint]);
  const number = tags?.[TAG.generation] ?? '';
  if (account === undefined || !slot.success || !fingerprint.success || !/^[1-9][0-9]{0,14}$/.test(number)) {
    return null;
  }
  const rotation = RotationId.safeParse(tags?.[TAG.rotation]);
  return {
    account,
    slot: slot.data,
    generation: generation(Number(number)),
    fingerprint: fingerprint.data,
    ...(rotation.success ? { rotation: rotation.data } : {}),
  };
}
