// What scripts may rely on.
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  timedOut: 5,
  unsafe: 6,
  auth: 7,
  unfit: 8,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_MEANINGS: Readonly<Record<ExitCode, string>> = {
  0: 'ok',
  1: 'failed: the console did not answer, or the rotation halted',
  2: 'usage: the command line is wrong',
  3: 'not found: no such account, rotation, consumer or entity',
  4: 'conflict: not possible in the state in which things are, or refused by the rotator',
  5: 'timed out waiting; what was waited for goes on',
  6: 'not safe: keys of the account are still shown, or nobody knows whether they are',
  7: 'auth: the console does not let you',
  8: 'unfit: a check of the installation failed; what mends it stands below each of them',
};
