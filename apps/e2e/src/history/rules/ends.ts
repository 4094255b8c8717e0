import type { Finding, History } from '../history.js';

/** Every rotation that was asked for completes; or it is expected to halt, and says why and what a person can do. */
export function everyRotationEnds({ rotations, halted = {} }: History): readonly Finding[] {
  return rotations.flatMap(({ id, account, state, completedAt, halt }) => {
    const found = (text: string) => [{ rule: 'no-end', account, text: `${id} ${text}` }];
    const expected = halted[account];
    if (state === 'completed' && completedAt !== null) return [];
    if (state !== 'halted') return found(`is ${state}: it never ended`);
    if (expected === undefined) return found(`halted (${halt?.reason ?? '?'}), and nobody expected it to`);
    if (halt?.reason !== expected)
      return found(`halted with ${halt?.reason ?? 'no reason'}, not with ${expected}`);
    return halt.remedy.length > 0 ? [] : found('halted without a remedy');
  });
}
