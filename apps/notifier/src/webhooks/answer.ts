import { Generation, Moment } from '@twinkey/contracts';
import { z } from 'zod';

const Answer = z.object({ acknowledged: Generation, drainedAt: Moment.optional() });

export interface AcknowledgedInAnswer {
  readonly generation: Generation;
  readonly drainedAt: number | null;
}

/** What a receiver's answer acknowledges; null: nothing, the message was only taken. */
export function acknowledgedIn(answer: unknown): AcknowledgedInAnswer | null {
  const read = Answer.safeParse(answer);
  if (!read.success) return null;
  const { acknowledged, drainedAt } = read.data;
  return { generation: acknowledged, drainedAt: drainedAt === undefined ? null : Date.parse(drainedAt) };
}
