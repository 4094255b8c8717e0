// What a rotation's events add up to. Pure, and told the events in the order of their sequence: events that
// come doubled, late or reordered therefore give the same story as events that come in order.
import type { KeySlot, RotationEvent, RotationScope, Step } from '@twinkey/contracts';

/** `asked`: the command is on its way and the rotator has not answered yet. */
export type RotationState = 'asked' | 'running' | 'waiting' | 'halted' | 'completed' | 'refused';

export interface RotationStep {
  readonly step: Step;
  readonly state: 'pending' | 'running' | 'done';
  readonly startedAt: string | null;
  readonly doneAt: string | null;
  readonly seconds: number | null;
}

type What = RotationEvent['what'];
type WhatOf<Name extends What['event']> = Extract<What, { event: Name }>;

export type Waiting = WhatOf<'waiting'> & { readonly since: string };
export type Halt = WhatOf<'halted'> & { readonly at: string };
export type Refusal = WhatOf<'refused'> & { readonly at: string };

export interface RotationStory {
  readonly state: RotationState;
  readonly requestedAt: string | null;
  readonly by: string | null;
  /** null: not heard yet. */
  readonly scope: RotationScope | null;
  readonly slot: KeySlot | null;
  readonly reason: string | null;
  readonly step: Step | null;
  readonly steps: readonly RotationStep[];
  readonly waiting: Waiting | null;
  readonly halt: Halt | null;
  /** The latest command about this rotation that the rotator declined. */
  readonly refusal: Refusal | null;
  readonly waived: readonly string[];
  readonly completedAt: string | null;
  readonly seconds: number | null;
  readonly keysReplaced: number | null;
  readonly lastSequence: number;
  readonly lastEventAt: string | null;
}

export type StoryEvent = Pick<RotationEvent, 'sequence' | 'at' | 'what'>;

const untold: RotationStory = {
  state: 'asked',
  requestedAt: null,
  by: null,
  scope: null,
  slot: null,
  reason: null,
  step: null,
  steps: [],
  waiting: null,
  halt: null,
  refusal: null,
  waived: [],
  completedAt: null,
  seconds: null,
  keysReplaced: null,
  lastSequence: 0,
  lastEventAt: null,
};

/** The story of one rotation. `events` are all that is known of it, by ascending sequence, each once. */
export function tellRotation(events: readonly StoryEvent[]): RotationStory {
  return events.reduce(
    (story, event) => ({
      ...tell(story, event),
      lastSequence: event.sequence,
      lastEventAt: event.at,
    }),
    untold,
  );
}

function tell(story: RotationStory, { what, at }: StoryEvent): RotationStory {
  // The last word of a rotation. What the rotator still says of it (a refused command) does not open it again.
  if (story.state === 'completed' && what.event !== 'refused') return story;

  switch (what.event) {
    case 'requested':
      return {
        ...story,
        state: 'running',
        requestedAt: at,
        by: what.by,
        scope: what.scope ?? 'both',
        slot: what.slot ?? null,
        reason: what.reason,
        steps: mergeSteps(what.steps, story.steps),
      };
    case 'step-started':
      return {
        ...goOn(story),
        step: what.step,
        steps: setStep(story.steps, what.step, (known) => ({
          ...known,
          state: 'running',
          startedAt: known.startedAt ?? at,
          doneAt: null,
          seconds: null,
        })),
      };
    case 'step-done':
      return {
        ...goOn(story),
        step: what.step,
        steps: setStep(story.steps, what.step, (known) => ({
          ...known,
          state: 'done',
          doneAt: at,
          seconds: what.seconds,
        })),
      };
    case 'waiting': {
      const since = sameWait(story.waiting, what) ? story.waiting.since : at;
      return story.state === 'halted'
        ? story
        : { ...goOn(story), state: 'waiting', step: what.step ?? story.step, waiting: { ...what, since } };
    }
    case 'halted':
      return { ...resume(story), state: 'halted', step: what.step ?? story.step, halt: { ...what, at } };
    case 'published':
    case 'forced':
      return goOn(story);
    case 'foreseen':
      return story.halt === null ? story : { ...story, halt: { ...story.halt, goesOn: what.goesOn } };
    case 'replayed':
      return resume(story);
    case 'waived':
      return { ...story, waived: [...new Set([...story.waived, what.consumer])] };
    case 'completed':
      return {
        ...resume(story),
        state: 'completed',
        step: null,
        completedAt: at,
        seconds: what.seconds,
        keysReplaced: what.keysReplaced,
      };
    case 'refused':
      return {
        ...story,
        state: story.state === 'asked' ? 'refused' : story.state,
        refusal: { ...what, at },
      };
    case 'drift-over':
    case 'restored':
    case 'retired':
    case 'drift':
      return story.state === 'asked' ? goOn(story) : story;
  }
}

/** Facts go on coming in while a rotation is halted (an acknowledgement, a publication that landed): only a replay ends a halt. */
function goOn(story: RotationStory): RotationStory {
  return story.state === 'halted' ? story : resume(story);
}

function resume(story: RotationStory): RotationStory {
  return { ...story, state: 'running', waiting: null, halt: null };
}

function sameWait(known: Waiting | null, next: WhatOf<'waiting'>): known is Waiting {
  return known !== null && known.step === next.step && known.for === next.for;
}

function pending(step: Step): RotationStep {
  return { step, state: 'pending', startedAt: null, doneAt: null, seconds: null };
}

/** The announced steps in their order, then those that turned up besides. */
function mergeSteps(announced: readonly Step[], known: readonly RotationStep[]): readonly RotationStep[] {
  const listed = [...new Set(announced)].map(
    (step) => known.find((other) => other.step === step) ?? pending(step),
  );
  return [...listed, ...known.filter(({ step }) => !announced.includes(step))];
}

function setStep(
  steps: readonly RotationStep[],
  step: Step,
  change: (known: RotationStep) => RotationStep,
): readonly RotationStep[] {
  const all = steps.some((other) => other.step === step) ? steps : [...steps, pending(step)];
  return all.map((other) => (other.step === step ? change(other) : other));
}
