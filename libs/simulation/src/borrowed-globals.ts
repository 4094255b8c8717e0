// Timers, chance and the monotonic clock of this process, lent to a timeline while a world runs. Production code takes
// its wall clock as an argument; what it takes from the process itself is here.
import type { Chance } from './chance.js';
import type { Appointment, Timeline } from './timeline.js';

type Callback = (...args: unknown[]) => void;
type Fetch = typeof globalThis.fetch;

class VirtualTimer {
  appointment: Appointment | undefined;
  unref(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  hasRef(): boolean {
    return true;
  }
}

/** Replaces them, and returns how to give them back. */
export function borrowGlobals(timeline: Timeline, chance: Chance, fetch: Fetch): () => void {
  const cancel = (timer: unknown): void => {
    if (timer instanceof VirtualTimer) timer.appointment?.cancel();
  };
  const setTimeout = (callback: Callback, ms = 0, ...args: unknown[]): VirtualTimer => {
    const timer = new VirtualTimer();
    timer.appointment = timeline.after(ms, () => {
      callback(...args);
    });
    return timer;
  };
  const setInterval = (callback: Callback, ms = 0, ...args: unknown[]): VirtualTimer => {
    const timer = new VirtualTimer();
    const again = (): void => {
      timer.appointment = timeline.after(ms, () => {
        again();
        callback(...args);
      });
    };
    again();
    return timer;
  };
  const setImmediate = (callback: Callback, ...args: unknown[]): void => {
    timeline.soon(() => {
      callback(...args);
    });
  };
  const timeout = (ms: number): AbortSignal => {
    const abort = new AbortController();
    timeline.after(ms, () => {
      abort.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
    });
    return abort.signal;
  };
  const giveBack = [
    put(globalThis, { setTimeout, setInterval, setImmediate, fetch }),
    put(globalThis, { clearTimeout: cancel, clearInterval: cancel }),
    put(globalThis, { performance: { now: () => timeline.elapsed + 1_000 } }),
    put(Error, { stackTraceLimit: 0 }), // where an outage is noticed a thousand times is of no interest
    put(Math, { random: () => chance.next() }),
    put(AbortSignal, { timeout }),
  ];
  const hangUps = process.listeners('SIGHUP');
  return () => {
    for (const back of giveBack.reverse()) back();
    for (const listener of process.listeners('SIGHUP'))
      if (!hangUps.includes(listener)) process.off('SIGHUP', listener);
  };
}

function put(target: object, values: Readonly<Record<string, unknown>>): () => void {
  const before = Object.keys(values).map(
    (name) => [name, Object.getOwnPropertyDescriptor(target, name)] as const,
  );
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(target, name, { value, configurable: true, writable: true, enumerable: true });
  }
  return () => {
    for (const [name, descriptor] of before) {
      if (descriptor === undefined) Reflect.deleteProperty(target, name);
      else Object.defineProperty(target, name, descriptor);
    }
  };
}
