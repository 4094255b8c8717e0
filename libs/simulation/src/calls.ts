// How a call that changes something fares: three separate moments, sent, executed, answered, and each may be the last.
import { PermanentFault, TransientFault } from '@twinkey/contracts';
import type { CallBudget, Effect } from '@twinkey/key-store';
import type { Actor } from './actor.js';
import type { Chance } from './chance.js';
import type { Faults, Kind } from './faults.js';
import type { Story } from './story.js';
import type { Timeline } from './timeline.js';

export interface CallPorts {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly faults: Faults;
  readonly story: Story;
  /** The longest that a call which was given up may still take until it is executed. */
  readonly limboMs: number;
  /** For bugs: false, and nobody is asked before the bytes leave. */
  readonly asksBeforeSending?: boolean;
  /** For bugs: a call that is late is sent once more, and that one is answered. */
  readonly sendsAgain?: boolean;
  /** For bugs: a call in doubt is said to be refused. */
  readonly forgetsDoubt?: boolean;
}

/** Which kinds of fault stand for what may become of a call. */
export interface Fates {
  readonly throttled?: Kind;
  readonly refused: Kind;
  readonly unanswered: Kind;
  readonly late: Kind;
  readonly lost?: Kind;
  /** Nobody answers there at all now. */
  readonly down: () => boolean;
}

/** One attempt. `execute` changes the world; it is called once, later than anybody waits, or never. */
export function attempt<Value>(
  ports: CallPorts,
  actor: Actor,
  what: string,
  fates: Fates,
  { deadlineMs, maySend }: CallBudget,
  execute: () => Value,
  onDoubt: () => void,
): Promise<Effect<Value>> {
  const { timeline, chance, faults, story, limboMs } = ports;
  return new Promise((resolve) => {
    const givenUpAt = timeline.elapsed + deadlineMs;
    const doubt = (why: string): void => {
      onDoubt();
      timeline.after(
        givenUpAt - timeline.elapsed,
        () => {
          story.tell(actor.name, `does not know whether ${what} happened: ${why}`);
          const message = `no answer within ${deadlineMs} ms`;
          resolve(
            ports.forgetsDoubt === true
              ? { outcome: 'refused', fault: new TransientFault('outage', message) }
              : { outcome: 'in-doubt', message },
          );
        },
        actor,
      );
    };
    const executeAfter = (ms: number, then: (value: Value) => void): void => {
      timeline.after(
        ms,
        () => {
          then(execute());
        },
        null,
      );
    };
    const send = (): void => {
      if (ports.asksBeforeSending !== false && timeline.elapsed >= givenUpAt) {
        resolve({ outcome: 'not-sent', code: 'deadline-passed', message: 'the deadline passed' });
        return;
      }
      if (ports.asksBeforeSending !== false && !maySend()) {
        story.tell(actor.name, `may not send ${what} any more`);
        resolve({ outcome: 'not-sent', code: 'may-not-send', message: 'the lease is not surely ours' });
        return;
      }
      if (fates.down()) {
        const fault = new TransientFault('outage', 'connection refused');
        timeline.after(
          5,
          () => {
            resolve({ outcome: 'refused', fault });
          },
          actor,
        );
        return;
      }
      if (fates.throttled !== undefined && faults.strikes(fates.throttled)) {
        const fault = new TransientFault('throttled', '429', { retryAfterMs: chance.whole(1, 30) * 1_000 });
        timeline.after(
          20,
          () => {
            resolve({ outcome: 'refused', fault });
          },
          actor,
        );
        return;
      }
      if (faults.strikes(fates.refused)) {
        const fault = chance.happens(0.5)
          ? new TransientFault('outage', 'connection refused')
          : new PermanentFault('access-refused', '403: the role assignment is gone.');
        story.tell(actor.name, `is refused ${what}: ${fault.code}`);
        timeline.after(
          20,
          () => {
            resolve({ outcome: 'refused', fault });
          },
          actor,
        );
        return;
      }
      story.tell(actor.name, `sends ${what}`);
      const dies = faults.strikes('crash-in-call');
      if (dies)
        timeline.after(
          chance.between(0, 400),
          () => {
            actor.die();
          },
          null,
        );
      const left = givenUpAt - timeline.elapsed;
      if (faults.strikes(fates.late)) {
        executeAfter(left + chance.between(0, limboMs), () => undefined);
        if (ports.sendsAgain !== true) {
          doubt('it is still on its way');
          return;
        }
        executeAfter(chance.between(10, 300), (value) => {
          timeline.after(
            5,
            () => {
              resolve({ outcome: 'done', value });
            },
            actor,
          );
        });
      } else if (fates.lost !== undefined && faults.strikes(fates.lost)) {
        doubt('it never arrives');
      } else if (faults.strikes(fates.unanswered)) {
        executeAfter(chance.between(10, Math.max(11, left)), () => undefined);
        doubt('its answer is lost');
      } else {
        if (dies) onDoubt();
        executeAfter(chance.between(10, 300), (value) => {
          timeline.after(
            chance.between(5, 100),
            () => {
              resolve({ outcome: 'done', value });
            },
            actor,
          );
        });
      }
    };
    if (faults.strikes('frozen-in-call')) {
      const ms = chance.magnitude(2_000, 200_000);
      story.tell(actor.name, `is frozen for ${(ms / 1_000).toFixed(1)} s, about to send ${what}`);
      actor.freeze(ms);
    }
    timeline.after(chance.between(1, 30), send, actor);
  });
}

/** A call that only looks. */
export function ask<Value>(
  { timeline, chance, faults }: CallPorts,
  actor: Actor,
  { down, deadlineMs, fault }: { down: () => boolean; deadlineMs: number; fault: () => Error },
  look: () => Value,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const dies = faults.strikes('process-crash');
    timeline.after(
      chance.between(3, 60),
      () => {
        if (dies) {
          actor.die();
          return;
        }
        if (down()) {
          // Refused at once, or nobody says anything until the deadline.
          timeline.after(
            chance.happens(0.5) ? 0 : deadlineMs,
            () => {
              reject(fault());
            },
            actor,
          );
          return;
        }
        try {
          resolve(look());
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      },
      actor,
    );
  });
}
