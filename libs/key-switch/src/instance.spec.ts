import { describe, expect, it } from '@jest/globals';
import { ConsumerName, generation, InstanceId } from '@twinkey/contracts';
import {
  decideInstance,
  evolveInstance,
  standingOf,
  type Instance,
  type InstanceCommand,
  type InstanceEvent,
  type InstanceRefusal,
  type Terms,
} from './instance.js';

const terms: Terms = { leaseSeconds: 30, rereadSeconds: 60, clockSkewSeconds: 5 };
const instance = InstanceId.parse('i-00000000000000aa');
const consumer = ConsumerName.parse('web-shop');
const boot = '11111111-1111-4111-8111-111111111111';
const otherBoot = '22222222-2222-4222-8222-222222222222';

const registered: InstanceEvent = {
  event: 'instance-registered',
  instance,
  consumer,
  boot,
  at: 0,
  leaseUntil: 30_000,
};
const left: InstanceEvent = { event: 'instance-left', at: 1_000 };

function acked(value: number, drainedAt: number | null = null): InstanceEvent {
  return {
    event: 'generation-acknowledged',
    generation: generation(value),
    drainedAt,
    at: 1_000,
    ahead: false,
  };
}
function acknowledge(
  value: number,
  { published = 7, from = boot, drainedAt = null as number | null } = {},
): InstanceCommand {
  return {
    command: 'acknowledge',
    boot: from,
    generation: generation(value),
    drainedAt,
    published: generation(published),
  };
}
function fold(events: readonly InstanceEvent[]): Instance | null {
  return events.reduce<Instance | null>(evolveInstance, null);
}
function given(...events: readonly InstanceEvent[]) {
  return {
    when: (command: InstanceCommand, now = 10_000) => {
      const decision = decideInstance(fold(events), command, terms, now);
      return {
        thenRefused: (code: InstanceRefusal) => {
          expect(decision).toEqual({ refused: code });
        },
        thenNothing: () => {
          expect(decision).toEqual({ events: [] });
        },
        then: (state: Partial<Instance>) => {
          expect(decision.events).toHaveLength(1);
          expect(fold([...events, ...(decision.events ?? [])])).toMatchObject(state);
        },
        thenAhead: (ahead: boolean) => {
          expect(decision.events).toMatchObject([{ event: 'generation-acknowledged', ahead }]);
        },
      };
    },
  };
}

describe('a process that registers', () => {
  const register: InstanceCommand = { command: 'register', instance, consumer, boot };

  it('gets a lease and has acknowledged nothing', () => {
    given()
      .when(register)
      .then({ leaseUntil: 40_000, acknowledged: generation(0), drainedAt: null });
  });

  it('may say it twice: the lease is renewed and its acknowledgement stands', () => {
    given(registered, acked(7))
      .when(register)
      .then({ leaseUntil: 40_000, acknowledged: generation(7) });
  });

  it('is refused the number of another process', () => {
    given(registered)
      .when({ ...register, boot: otherBoot })
      .thenRefused('stale-boot');
  });

  it('starts from nothing when it comes back after a goodbye', () => {
    given(registered, acked(7), left)
      .when(register)
      .then({ acknowledged: generation(0), gone: false });
  });
});

describe('a heartbeat', () => {
  it('renews the lease', () => {
    given(registered).when({ command: 'heartbeat', boot }).then({ seenAt: 10_000, leaseUntil: 40_000 });
  });

  it('never shortens a lease that was already promised', () => {
    given(registered).when({ command: 'heartbeat', boot }, -5_000).then({ leaseUntil: 30_000 });
  });

  it('brings a lapsed instance back with what it had acknowledged', () => {
    given(registered, acked(7))
      .when({ command: 'heartbeat', boot }, 500_000)
      .then({ leaseUntil: 530_000, acknowledged: generation(7) });
  });

  it('of another start of the process is refused', () => {
    given(registered).when({ command: 'heartbeat', boot: otherBoot }).thenRefused('stale-boot');
  });

  it('of an instance that is not known, or that left, is refused', () => {
    given().when({ command: 'heartbeat', boot }).thenRefused('unknown-instance');
    given(registered, left).when({ command: 'heartbeat', boot }).thenRefused('unknown-instance');
  });
});

describe('an acknowledgement', () => {
  it('is kept with the end of its drain', () => {
    given(registered)
      .when(acknowledge(7, { drainedAt: 12_000 }))
      .then({ acknowledged: generation(7), drainedAt: 12_000 });
  });

  it('of an older generation is kept, and does not pretend to be more', () => {
    given(registered)
      .when(acknowledge(6))
      .then({ acknowledged: generation(6) });
  });

  it('never decreases', () => {
    given(registered, acked(7)).when(acknowledge(6)).thenNothing();
  });

  it('said again changes nothing', () => {
    given(registered, acked(7, 9_000))
      .when(acknowledge(7, { drainedAt: 9_000 }))
      .thenNothing();
    given(registered, acked(7, 9_000)).when(acknowledge(7)).thenNothing();
  });

  it('said again with a longer drain lengthens it', () => {
    given(registered, acked(7, 9_000))
      .when(acknowledge(7, { drainedAt: 12_000 }))
      .then({ drainedAt: 12_000 });
  });

  it('of a higher generation brings its own drain', () => {
    given(registered, acked(7, 9_000))
      .when(acknowledge(8))
      .then({ acknowledged: generation(8), drainedAt: null });
  });

  it('above the published generation is kept and reported as ahead', () => {
    given(registered).when(acknowledge(8)).thenAhead(true);
    given(registered).when(acknowledge(7)).thenAhead(false);
  });

  it('of an earlier start of the process counts for nothing', () => {
    given(registered)
      .when(acknowledge(7, { from: otherBoot }))
      .thenRefused('stale-boot');
  });

  it('of an instance that is not known, or that left, counts for nothing', () => {
    given().when(acknowledge(7)).thenRefused('unknown-instance');
    given(registered, left).when(acknowledge(7)).thenRefused('unknown-instance');
  });

  it('of generation 0 says nothing', () => {
    given(registered).when(acknowledge(0)).thenNothing();
  });
});

describe('a goodbye', () => {
  it('is for ever', () => {
    given(registered, acked(7))
      .when({ command: 'leave' })
      .then({ gone: true, acknowledged: generation(7) });
  });

  it('of an instance that is not known, or that left already, is refused', () => {
    given().when({ command: 'leave' }).thenRefused('unknown-instance');
    given(registered, left).when({ command: 'leave' }).thenRefused('unknown-instance');
  });
});

describe('what is told of an instance before it registered', () => {
  it('makes no instance of it', () => {
    expect(fold([acked(7)])).toBeNull();
    expect(fold([{ event: 'lease-renewed', at: 0, leaseUntil: 1 }, left])).toBeNull();
  });
});

describe('an instance that falls silent', () => {
  it('stays live until its lease and the clock skew are over', () => {
    const current = fold([registered]);
    if (current === null) throw new Error('it is registered');
    expect(standingOf(current, terms, 35_000)).toBe('live');
    expect(standingOf(current, terms, 35_001)).toBe('lapsed');
  });

  it('is gone after a goodbye, lease or not', () => {
    const current = fold([registered, left]);
    if (current === null) throw new Error('it was registered');
    expect(standingOf(current, terms, 2_000)).toBe('gone');
  });
});
