// A fault that trying again does not mend, as a reason and a remedy for a person.
import { HaltReason, type PermanentFault } from '@twinkey/contracts';
import type { Next } from '@twinkey/rotation';

const REPLAY = 'Then replay the rotation.';

const REMEDIES: Readonly<Record<string, string>> = {
  'account-not-found': 'If the account is gone for good, remove it from twinkey.yaml; else recover it.',
  'local-auth-disabled':
    'Nothing needs rotating while the account accepts no keys: remove it from twinkey.yaml, or enable local authentication.',
  'access-refused': 'Grant the rotator the missing role on the account or the vault.',
  'secret-unusable': "Make the secret writable again: recover or purge it, or correct the vault's settings.",
};

/** The plan's `halt` for a permanent fault; an unknown code is told as it is. */
export function haltFor(fault: PermanentFault): Extract<Next, { do: 'halt' }> {
  const reason = HaltReason.safeParse(fault.code);
  return {
    do: 'halt',
    reason: reason.success ? reason.data : 'unexpected-answer',
    detail: `${fault.message} Both keys keep working.`,
    remedy: `${fault.remedy ?? REMEDIES[fault.code] ?? 'Find out why Azure answers so, and mend it.'} ${REPLAY}`,
  };
}
