// How big the fleet of the proof is, and who of it uses what.
import type { SampleConsumer } from '@twinkey/dev';

export interface FleetSize {
  readonly instances: number;
  readonly accounts: number;
  readonly processes: number;
}

const FULL: FleetSize = { instances: 200, accounts: 20, processes: 10 };

/** One process is frozen, one dies, and somebody has to go on. */
const FEWEST_PROCESSES = 3;
/** The most that one process of the example takes. */
const MOST_INSTANCES_EACH = 100;

/** From FLEET_INSTANCES, FLEET_ACCOUNTS and FLEET_PROCESSES. Throws one error that names the variable and its rule. */
export function sizeFrom(env: Readonly<Record<string, string | undefined>>): FleetSize {
  const number = (name: string, fallback: number, [least, most]: readonly [number, number]): number => {
    const value = Number(env[name] ?? fallback);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new Error(
      `${name}: must be a whole number from ${least} to ${most}; it is "${env[name] ?? value}".`,
    );
  };
  const processes = number('FLEET_PROCESSES', FULL.processes, [FEWEST_PROCESSES, 100]);
  const instances = number('FLEET_INSTANCES', FULL.instances, [processes, MOST_INSTANCES_EACH * processes]);
  // Three rotations of each are listed at once, and the console lists 200.
  const accounts = number('FLEET_ACCOUNTS', FULL.accounts, [1, 60]);
  return { instances, accounts, processes };
}

export function accountNames({ accounts }: FleetSize): readonly string[] {
  return Array.from({ length: accounts }, (_, index) => `account-${String(index + 1).padStart(2, '0')}`);
}

/** Each process is a consumer; each uses its share of the accounts and the next one's, so that each account has two. */
export function consumersOf(size: FleetSize): readonly SampleConsumer[] {
  const { processes, instances } = size;
  const names = accountNames(size);
  const each = Math.min(names.length, 2 * Math.ceil(names.length / processes));
  return Array.from({ length: processes }, (_, index) => {
    const first = Math.floor((index * names.length) / processes);
    return {
      consumer: `consumer-${String(index + 1).padStart(2, '0')}`,
      instances:
        Math.floor(((index + 1) * instances) / processes) - Math.floor((index * instances) / processes),
      accounts: Array.from({ length: each }, (_account, next) => names[(first + next) % names.length] ?? ''),
    };
  });
}
