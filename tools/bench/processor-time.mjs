import { readdirSync, readFileSync } from 'node:fs';

/** The kernel counts in hundredths of a second (`getconf CLK_TCK`, on every Linux that runs Node). */
const TICK_MS = 10;

/** What the processes of each part and their children have used of processors so far; NaN where there is no /proc. */
export function processorMs(parts) {
  const all = usage();
  return Object.fromEntries(
    Object.entries(parts).map(([part, pids]) => {
      const own = new Set([pids].flat());
      const counted = all.filter(({ pid, parent }) => own.has(pid) || own.has(parent));
      return [
        part,
        counted.length === 0
          ? NaN
          : counted.reduce((sum, { pid, ms, endedMs }) => sum + ms + (own.has(pid) ? endedMs : 0), 0),
      ];
    }),
  );
}

function usage() {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        try {
          // The name of the program stands in brackets and may hold anything.
          const fields = readFileSync(`/proc/${name}/stat`, 'utf8')
            .replace(/^.*\) /s, '')
            .split(' ');
          // The last two are of children that have ended: connections of a database come and go.
          const numbers = [1, 11, 12, 13, 14].map((field) => Number(fields[field]));
          const [parent, user, system, endedUser, endedSystem] = numbers;
          const endedMs = (endedUser + endedSystem) * TICK_MS;
          return [{ pid: Number(name), parent, ms: (user + system) * TICK_MS, endedMs }];
        } catch {
          return []; // it has ended meanwhile
        }
      });
  } catch {
    return [];
  }
}
