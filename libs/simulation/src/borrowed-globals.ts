// Timers, chance and the monotonic clock of this process, lent to the code of worlds. Production code takes its wall
// clock as an argument; what it takes from the process itself is here. Code of no world gets the real ones.
import { currentTimeline, type Appointment } from './timeline.js';

type Callback = (...args: unknown[]) => void;

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

let borrowers = 0;
let giveBack: () => void = () => undefined;

/** Lends them until the returned function is called; several may borrow at a time. */
export function borrowGlobals(): () => void {
  borrowers += 1;
  if (borrowers === 1) giveBack = lend();
  return () => {
    borrowers -= 1;
    if (borrowers === 0) giveBack();
  };
}

function lend(): () => void {
  const { random } = Math;
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  const on = process.on.bind(process);
  const real = {
    setTimeout: globalThis.setTimeout,
    setInterval: globalThis.setInterval,
    setImmediate: globalThis.setImmediate,
    clearTimeout: globalThis.clearTimeout,
    clearInterval: globalThis.clearInterval,
    fetch: globalThis.fetch,
    performance: globalThis.performance,
  };
  const given = [
    put(globalThis, {
      setTimeout: (callback: Callback, ms = 0, ...args: unknown[]) => {
        const timeline = currentTimeline();
        if (timeline === undefined) return real.setTimeout(callback, ms, ...args);
        const timer = new VirtualTimer();
        timer.appointment = timeline.after(ms, () => {
          callback(...args);
        });
        return timer;
      },
      setInterval: (callback: Callback, ms = 0, ...args: unknown[]) => {
        const timeline = currentTimeline();
        if (timeline === undefined) return real.setInterval(callback, ms, ...args);
        const timer = new VirtualTimer();
        const again = (): void => {
          timer.appointment = timeline.after(ms, () => {
            again();
            callback(...args);
          });
        };
        again();
        return timer;
      },
      setImmediate: (callback: Callback, ...args: unknown[]) => {
        const timeline = currentTimeline();
        if (timeline === undefined) return real.setImmediate(callback, ...args);
        timeline.soon(() => {
          callback(...args);
        });
        return undefined;
      },
      clearTimeout: (timer: unknown) => {
        if (timer instanceof VirtualTimer) timer.appointment?.cancel();
        else real.clearTimeout(timer as NodeJS.Timeout);
      },
      clearInterval: (timer: unknown) => {
        if (timer instanceof VirtualTimer) timer.appointment?.cancel();
        else real.clearInterval(timer as NodeJS.Timeout);
      },
      fetch: (...asked: Parameters<typeof globalThis.fetch>) =>
        (currentTimeline()?.fetch ?? real.fetch)(...asked),
      performance: {
        now: () => {
          const timeline = currentTimeline();
          return timeline === undefined ? real.performance.now() : timeline.elapsed + 1_000;
        },
      },
    }),
    put(Error, { stackTraceLimit: 0 }), // where an outage is noticed a thousand times is of no interest
    put(Math, { random: () => currentTimeline()?.random() ?? random() }),
    put(AbortSignal, {
      timeout: (ms: number) => {
        const timeline = currentTimeline();
        if (timeline === undefined) return timeout(ms);
        const abort = new AbortController();
        timeline.after(ms, () => {
          abort.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
        });
        return abort.signal;
      },
    }),
    // A service that starts a thousand times in one process would leave a thousand listeners behind.
    put(process, {
      on: (name: string, listener: Callback) =>
        currentTimeline() === undefined ? on(name, listener) : process,
    }),
  ];
  return () => {
    for (const back of given.reverse()) back();
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
