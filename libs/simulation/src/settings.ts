// How the world of a seed is set up: who is there, and the timing assumptions that hold in it.
import { AccountId } from '@twinkey/contracts';
import type { Chance } from './chance.js';

export interface WorldSettings {
  readonly accounts: readonly AccountId[];
  /** Names of applications, each with the number of its instances. */
  readonly consumers: readonly { readonly name: string; readonly instances: number }[];
  readonly rotators: number;
  readonly onOverdue: 'hold' | 'force';
  readonly acknowledgeWithinSeconds: number;
  readonly drainSeconds: number;
  readonly emergency: { readonly acknowledgeWithinSeconds: number; readonly onOverdue: 'hold' | 'force' };
  /** How long things go wrong; then the world is kind until all is done. */
  readonly troubledMs: number;
  /** The furthest that a clock is off. */
  readonly skewMs: number;
}

/** The same in every world: the assumptions of the services, short enough that a rotation takes minutes. */
export const TIMES = {
  quiescenceSeconds: 45,
  callDeadlineSeconds: 5,
  accountLeaseSeconds: 15,
  sweepSeconds: 20,
  tickSeconds: 30,
  heartbeatSeconds: 20,
  leaseSeconds: 45,
  rereadSeconds: 45,
  clockSkewSeconds: 5,
  keyChangedShards: 1,
  roundMs: 10_000,
} as const;

const LARGEST_SKEW_MS = 1_000;
export const LIMBO_MS = TIMES.quiescenceSeconds * 1_000 - 4 * LARGEST_SKEW_MS - 2_000;

export function drawSettings(from: Chance, { isSkewed }: { readonly isSkewed: boolean }): WorldSettings {
  const chance = from.split('settings');
  const names = ['speech', 'language'].slice(0, chance.happens(0.15) ? 2 : 1);
  return {
    accounts: names.map((name) =>
      AccountId.parse(
        `/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/${name}`,
      ),
    ),
    consumers: ['desk', 'voice']
      .slice(0, chance.whole(1, 2))
      .map((name) => ({ name, instances: chance.whole(1, 2) })),
    rotators: 2,
    onOverdue: chance.happens(0.2) ? 'force' : 'hold',
    acknowledgeWithinSeconds: chance.pick([60, 120, 240]),
    drainSeconds: chance.pick([2, 10, 20]),
    emergency: {
      acknowledgeWithinSeconds: chance.pick([60, 180]),
      onOverdue: chance.happens(0.2) ? 'force' : 'hold',
    },
    troubledMs: chance.between(2, 5) * 60_000,
    skewMs: isSkewed ? LARGEST_SKEW_MS : 0,
  };
}

/** `twinkey.yaml` of the world. */
export function careFileOf(settings: WorldSettings): string {
  const { acknowledgeWithinSeconds, onOverdue, drainSeconds, emergency } = settings;
  return [
    'version: 1',
    'policies:',
    '  world:',
    '    interval: P30D',
    `    acknowledgeWithin: PT${acknowledgeWithinSeconds}S`,
    `    onOverdue: ${onOverdue}`,
    `    drain: PT${drainSeconds}S`,
    '    withoutConsumers: rotate',
    '    lookEvery: PT1M',
    `    emergency: { acknowledgeWithin: PT${emergency.acknowledgeWithinSeconds}S, onOverdue: ${emergency.onOverdue} }`,
    'accounts:',
    ...settings.accounts.map((id) => `  - { id: ${id}, policy: world }`),
    '',
  ].join('\n');
}
