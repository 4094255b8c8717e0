import { generation, TransientFault } from '@twinkey/contracts';
import { accountTag } from '@twinkey/key-store';
import type { Next } from '@twinkey/rotation';
import type { Hold } from '../hold.js';
import type { Outside } from '../look.js';
import type { Work } from '../work.js';

/** The secret is marked to expire some time after the next rotation should have replaced it: Key Vault itself warns then. */
const GRACE = 1.5;

/**
 * Makes a slot's key the current version of the secret: the intent is committed first, exactly one request is
 * sent, and its end is recorded. Throws the fault when Key Vault refused; nothing was executed then.
 */
export async function publish(
  { slot, fingerprint, generation: number }: Extract<Next, { do: 'publish' }>,
  work: Work,
  hold: Hold,
  { shelf, deadlineMs }: Outside,
): Promise<void> {
  const value = hold.valueOf(fingerprint);
  if (value === undefined) throw new Error('a key is to be published whose value was never listed');
  const { settings } = work;
  await work.keepLease();
  const startedAt = performance.now();
  const attempt = work.ring.attempts + 1;
  const notAfter = work.now() + deadlineMs;
  const intended = await work.decide([
    { type: 'PublicationIntended', at: work.now(), slot, fingerprint, generation: number, attempt, notAfter },
  ]);
  if (!intended) return; // the ring changed: ask the plan again

  const rotation = work.ring.rotation?.rotationId;
  const effect = await shelf.publish(
    settings.secret,
    {
      value,
      tags: {
        account: accountTag(settings.account),
        slot,
        generation: generation(number),
        fingerprint,
        ...(rotation === undefined ? {} : { rotation }),
      },
      expiresOn: new Date(work.now() + settings.policy.intervalSeconds * 1_000 * GRACE),
    },
    // Counted from before the commit, so that `notAfter` is true however long that took.
    { deadlineMs: Math.max(0, deadlineMs - (performance.now() - startedAt)), maySend: work.maySend },
  );
  const at = work.now();
  switch (effect.outcome) {
    case 'done': {
      const { version } = effect.value;
      await work.result([{ type: 'Published', at, slot, fingerprint, generation: number, version, attempt }]);
      return;
    }
    case 'in-doubt':
      await work.result([{ type: 'PublicationInDoubt', at, slot, attempt, detail: effect.message }]);
      return;
    case 'not-sent':
      await work.result([{ type: 'PublicationNotExecuted', at, slot, attempt, code: effect.code }]);
      throw new TransientFault(effect.code, effect.message);
    case 'refused':
      await work.result([{ type: 'PublicationNotExecuted', at, slot, attempt, code: effect.fault.code }]);
      throw effect.fault;
    default:
      throw new Error('unknown effect');
  }
}
