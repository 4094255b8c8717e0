import { accountName, type RotationEvent } from '@twinkey/contracts';
import { pastSpan } from '@twinkey/service';

/**
 * Steps and whole rotations as spans, told when they are over: they take hours, and several processes. The steps stand
 * below the rotation, beside the looks that brought them forward.
 */
export function traceTold({ account, rotationId, at, what }: RotationEvent): void {
  if (rotationId === undefined || (what.event !== 'step-done' && what.event !== 'completed')) return;
  const to = Date.parse(at);
  const place = { rotationId, from: to - what.seconds * 1_000, to };
  const attributes = { 'twinkey.account': accountName(account) };
  if (what.event === 'step-done') pastSpan(`step ${what.step}`, place, attributes);
  else pastSpan('rotation', { ...place, whole: true }, { ...attributes, 'twinkey.keys': what.keysReplaced });
}
