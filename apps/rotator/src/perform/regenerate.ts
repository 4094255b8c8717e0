import { TransientFault } from '@twinkey/contracts';
import type { Next } from '@twinkey/rotation';
import type { Hold } from '../hold.js';
import type { Outside } from '../look.js';
import type { Work } from '../work.js';

/**
 * Regenerates a slot: the intent is committed first, exactly one request is sent, and its end is recorded. Throws
 * the fault when Azure refused; nothing was executed then.
 */
export async function regenerate(
  { slot, before }: Extract<Next, { do: 'regenerate' }>,
  work: Work,
  hold: Hold,
  { accountKeys, deadlineMs }: Outside,
): Promise<void> {
  // No token of the write bucket is near: an intent now would only be one more that was never sent.
  const delayMs = accountKeys.writeDelayMs(work.ring.account);
  if (delayMs > deadlineMs / 2) {
    throw new TransientFault('throttled', 'Resource Manager: no write token is left for now', {
      retryAfterMs: delayMs,
    });
  }
  await work.keepLease();
  const startedAt = performance.now();
  const attempt = work.ring.attempts + 1;
  const notAfter = work.now() + deadlineMs;
  const intended = await work.decide([
    { type: 'RegenerationIntended', at: work.now(), slot, before, attempt, notAfter },
  ]);
  if (!intended) return; // the ring changed: the gate must be asked again

  const effect = await accountKeys.regenerateKey(work.ring.account, slot, {
    // Counted from before the commit, so that `notAfter` is true however long that took.
    deadlineMs: Math.max(0, deadlineMs - (performance.now() - startedAt)),
    maySend: work.maySend,
  });
  const at = work.now();
  switch (effect.outcome) {
    case 'done': {
      const after = {
        key1: hold.fingerprintOf(effect.value.key1),
        key2: hold.fingerprintOf(effect.value.key2),
      };
      await work.result([{ type: 'RegenerationAnswered', at, slot, attempt, after }]);
      hold.sawKeys(effect.value, work.ring.revision, at);
      return;
    }
    case 'in-doubt':
      await work.result([{ type: 'RegenerationInDoubt', at, slot, attempt, detail: effect.message }]);
      return;
    case 'not-sent':
      await work.result([{ type: 'RegenerationNotExecuted', at, slot, attempt, code: effect.code }]);
      hold.stillSeesKeys(work.ring);
      throw new TransientFault(effect.code, effect.message);
    case 'refused':
      await work.result([{ type: 'RegenerationNotExecuted', at, slot, attempt, code: effect.fault.code }]);
      hold.stillSeesKeys(work.ring);
      throw effect.fault;
    default:
      throw new Error('unknown effect');
  }
}
