import { ConsumerName, RotationId } from '@twinkey/contracts';
import { explain } from '@twinkey/rotation';
import type { AccountDetail, ExplanationView, RotationView } from './answers.js';

/** The rotation and its account as they are told, put to the core that knows what each state means. */
export function explainRotation(rotation: RotationView, account: AccountDetail | undefined): ExplanationView {
  const behind = (account?.consumers ?? []).filter(({ live, acknowledged }) => acknowledged < live);
  const policy = account?.settings?.policy;
  const emergency = rotation.scope === 'emergency' ? (policy?.emergency?.onOverdue ?? 'hold') : undefined;
  const explanation = explain({
    ...rotation,
    id: RotationId.parse(rotation.id),
    behind: behind.map(({ consumer }) => ConsumerName.parse(consumer)),
    onOverdue: emergency ?? policy?.onOverdue ?? null,
  });
  return {
    rotation: rotation.id,
    account: rotation.account,
    state: rotation.state,
    ...explanation,
    youCan: [...explanation.youCan],
  };
}
