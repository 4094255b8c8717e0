// What a rotation waits for, what happens if nobody acts, and what one can do about it; from what is told of it.
import type { ConsumerName, RotationId, RotationScope, Step } from '@twinkey/contracts';
import type { Foresight } from './foresee.js';

/** A rotation as its events tell of it. Moments are ISO 8601 text. */
export interface ToldRotation {
  readonly id: RotationId;
  /** The name of the account. */
  readonly account: string;
  readonly state: 'asked' | 'running' | 'waiting' | 'halted' | 'completed' | 'refused';
  readonly scope: RotationScope;
  readonly step: Step | null;
  readonly requestedAt: string;
  readonly lastEventAt: string;
  readonly completedAt: string | null;
  readonly waiting: {
    readonly for: string;
    readonly detail: string;
    readonly since: string;
    readonly until: string | null;
  } | null;
  readonly halt: {
    readonly reason: string;
    readonly detail: string;
    readonly remedy: string;
    readonly at: string;
    readonly goesOn: Omit<Foresight, 'step'> | null;
  } | null;
  readonly refusal: { readonly detail: string; readonly at: string } | null;
  /** Consumers with live instances that have not acknowledged the published generation. */
  readonly behind: readonly ConsumerName[];
  /** What the policy says of those who miss the deadline of this rotation; null: not known. */
  readonly onOverdue: 'hold' | 'force' | null;
}

export interface Possibility {
  /** A command line, or what to do elsewhere. */
  readonly command: string;
  readonly effect: string;
}

export interface Explanation {
  readonly waitsFor: string;
  readonly since: string;
  readonly ifNobodyActs: string;
  readonly youCan: readonly Possibility[];
}

export function explain(told: ToldRotation): Explanation {
  switch (told.state) {
    case 'halted':
      return explainHalt(told);
    case 'waiting':
      return explainWait(told);
    case 'asked':
      return {
        waitsFor: 'The rotator has not answered the request yet.',
        since: told.requestedAt,
        ifNobodyActs: 'It begins as soon as the rotator reads the request. Nobody is affected until then.',
        youCan: [{ command: 'twinkey status', effect: 'shows whether the rotator is alive' }],
      };
    case 'running':
      return {
        waitsFor: `Nothing: it is working${told.step === null ? '' : ` on ${told.step}`}.`,
        since: told.lastEventAt,
        ifNobodyActs: 'It goes on by itself. If a service dies, it goes on when the service is back.',
        youCan: [watch(told), halt(told)],
      };
    case 'completed':
      return {
        waitsFor: 'Nothing: it is completed.',
        since: told.completedAt ?? told.lastEventAt,
        ifNobodyActs: 'Nothing more happens. The keys that it retired are dead, the ones in use stay.',
        youCan: [{ command: `twinkey rotate ${told.account}`, effect: 'begins another rotation' }],
      };
    case 'refused':
      return {
        waitsFor: `Nothing: it never began. ${told.refusal?.detail ?? ''}`.trim(),
        since: told.refusal?.at ?? told.lastEventAt,
        ifNobodyActs: 'Nothing happens, and nothing was changed.',
        youCan: [{ command: `twinkey rotate ${told.account}`, effect: 'asks anew' }],
      };
    default:
      return told.state satisfies never;
  }
}

function explainHalt(told: ToldRotation): Explanation {
  const { halt: why, lastEventAt } = told;
  const silent = why?.reason === 'consumer-silent';
  const { goesOn = null } = why ?? {};
  return {
    waitsFor: why === null ? 'It waits for a person.' : `It waits for a person: ${why.detail}`,
    since: why?.at ?? lastEventAt,
    ifNobodyActs:
      'It stays halted for as long as it takes. Both keys keep working, so no consumer breaks; the old keys stay alive.',
    youCan: [
      ...(why === null ? [] : [{ command: why.remedy, effect: 'removes the reason' }]),
      {
        command: `twinkey replay ${told.id}`,
        effect: goesOn === null ? 'takes it up where it stands' : goesOn.next,
      },
      ...(silent ? waives(told) : []),
    ],
  };
}

function explainWait(told: ToldRotation): Explanation {
  const { waiting, lastEventAt } = told;
  const forWhat = waiting?.for ?? 'something';
  const { ifNobodyActs, youCan } = ofWait(told, forWhat, waiting?.until ?? null);
  return {
    waitsFor: `It waits for ${forWhat}: ${waiting?.detail ?? 'not known'}.`,
    since: waiting?.since ?? lastEventAt,
    ifNobodyActs,
    youCan: [...youCan, halt(told)],
  };
}

function ofWait(
  told: ToldRotation,
  forWhat: string,
  until: string | null,
): Pick<Explanation, 'ifNobodyActs' | 'youCan'> {
  const then = until === null ? 'in its time' : `at ${until}`;
  switch (forWhat) {
    case 'acknowledgements':
      return {
        ifNobodyActs:
          told.onOverdue === 'force'
            ? `If somebody is still missing, it goes on without them ${then}, as the policy says; they may be refused calls.`
            : `If somebody is still missing, it halts ${then}. No key is regenerated, both keep working, nobody breaks.`,
        youCan: waives(told),
      };
    case 'drain':
      return {
        ifNobodyActs: `It goes on ${then}, when the last calls with the older key are over.`,
        youCan: [],
      };
    case 'quiescence':
      return {
        ifNobodyActs: `${until === null ? 'Once' : `From ${until} on`} a call without an answer can no longer execute, it looks at what became of the call and goes on.`,
        youCan: [],
      };
    case 'propagation':
      return {
        ifNobodyActs:
          'It asks Azure again until all of it shows the change, and halts if that never happens.',
        youCan: [],
      };
    case 'throttling':
    case 'outage':
      return {
        ifNobodyActs: `It tries again ${then}, for as long as it takes. Both keys keep working meanwhile.`,
        youCan: [{ command: 'twinkey status', effect: 'shows whether the services are alive' }],
      };
    case 'emergency':
      return {
        ifNobodyActs: 'It goes on where it stands as soon as the leaked key is dead.',
        youCan: [
          {
            command: `twinkey rotations list --account ${told.account}`,
            effect: 'shows the emergency and how far it is',
          },
        ],
      };
    default:
      return { ifNobodyActs: 'It goes on by itself.', youCan: [watch(told)] };
  }
}

function waives({ id, behind }: ToldRotation): Possibility[] {
  return behind.map((consumer) => ({
    command: `twinkey waive ${id} ${consumer} --reason <text>`,
    effect: `excuses ${consumer} from acknowledging; its calls may be refused`,
  }));
}

function watch({ id }: ToldRotation): Possibility {
  return { command: `twinkey rotations watch ${id}`, effect: 'shows what it does, live' };
}

function halt({ id }: ToldRotation): Possibility {
  return { command: `twinkey halt ${id}`, effect: 'stops it until it is replayed; both keys keep working' };
}
