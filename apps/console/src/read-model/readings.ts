// What the read model says, as metrics.
import type { Reading, Sample } from '@twinkey/service';
import { sql } from 'kysely';
import type { ConsoleDatabase } from '../parts.js';

const STATES = ['running', 'waiting', 'halted'] as const;

/** Open rotations, by an index that holds no others. */
export function rotationsReading({ kysely }: ConsoleDatabase): Reading {
  return {
    name: 'rotations',
    gauges: ['twinkey_rotations_open'],
    read: async () => {
      const { rows } = await sql<{ state: string; open: number }>`
        select state, count(*) as open from rotation
        where state in ('running', 'waiting', 'halted') group by state`.execute(kysely);
      return STATES.map((state): Sample => {
        const value = rows.find((row) => row.state === state)?.open ?? 0;
        return { gauge: 'twinkey_rotations_open', labels: { state }, value };
      });
    },
  };
}

/** When each of the other services was heard of last. */
export function servicesReading({ kysely }: ConsoleDatabase): Reading {
  return {
    name: 'services',
    gauges: ['twinkey_service_last_seen_timestamp_seconds'],
    read: async () => {
      const rows = await kysely.selectFrom('service_life').select(['service', 'last_seen_at']).execute();
      return (['scheduler', 'rotator', 'notifier'] as const).flatMap((peer): Sample[] => {
        const seen = rows.find(({ service }) => service === peer);
        if (seen === undefined) return [];
        const value = seen.last_seen_at.getTime() / 1_000;
        return [{ gauge: 'twinkey_service_last_seen_timestamp_seconds', labels: { peer }, value }];
      });
    },
  };
}
