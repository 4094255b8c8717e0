import type { FleetReport } from './rotate-fleet.js';

/** The figures of a run, for people. */
export function summary(report: FleetReport): string {
  const {
    rotationsCompleted,
    accounts,
    keysReplaced,
    oldKeys,
    oldKeysStillAccepted,
    instances,
    calls,
    refused,
    seconds,
  } = report;
  return [
    '',
    `${rotationsCompleted} of ${accounts} rotations completed, ${keysReplaced} keys replaced in ${seconds.toFixed(1)} s`,
    `${oldKeys - oldKeysStillAccepted} of ${oldKeys} old keys are refused by the data plane`,
    `${calls} calls made by ${instances} consumer instances, ${refused} refused calls`,
  ].join('\n');
}
