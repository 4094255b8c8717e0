import { ConsumerName, RotationId, type ConsumerUse } from '@twinkey/contracts';
import { explain } from '@twinkey/rotation';
import type { AccountDetail, ExplanationView, RotationView } from './answers.js';

/** The rotation and its account as they are told, put to the core that knows what each state means. */
export function explainRotation(
  rotation: RotationView,
  account: AccountDetail | undefined,
  told: readonly ConsumerUse[] | null = null,
): ExplanationView {
  const consumers = account?.consumers ?? [];
  const behind = consumers.filter(
    ({ live, acknowledged, minimum = 0 }) => acknowledged < live || live < minimum,
  );
  const policy = account?.settings?.policy;
  const emergency = rotation.scope === 'emergency' ? (policy?.emergency?.onOverdue ?? 'hold') : undefined;
  const explanation = explain({
    ...rotation,
    id: RotationId.parse(rotation.id),
    behind: behind.map(({ consumer }) => ConsumerName.parse(consumer)),
    onOverdue: emergency ?? policy?.onOverdue ?? null,
  });
  const why = waitsForConsumers(rotation) ? notesOn(behind, told ?? []) : [];
  return {
    rotation: rotation.id,
    account: rotation.account,
    state: rotation.state,
    ...explanation,
    waitsFor: [explanation.waitsFor, ...why].join(' '),
    youCan: [...explanation.youCan],
  };
}

function waitsForConsumers({ waiting, halt }: RotationView): boolean {
  return waiting?.for === 'acknowledgements' || halt?.reason === 'consumer-silent';
}

/** What is known of those who are not there yet. */
function notesOn(behind: AccountDetail['consumers'], told: readonly ConsumerUse[]): string[] {
  return behind.flatMap(({ consumer, live, minimum = 0, escalated }) => {
    const refusals = told.find((one) => one.consumer === consumer)?.refusals ?? [];
    return [
      ...(live < minimum ? [`${consumer} has ${live} of at least ${minimum} instances.`] : []),
      ...refusals.map(
        ({ instance, generation, reason }) =>
          `${consumer} (${instance}) refuses generation ${generation}: ${reason}.`,
      ),
      ...(escalated === undefined
        ? []
        : [`${escalated.to} was to be told of ${consumer} at ${escalated.since}.`]),
    ];
  });
}
