import type { SwitchRequested } from '@twinkey/contracts';
import type { KeySwitch, Question, SwitchEvent } from './key-switch.js';

/**
 * Why a request changes nothing.
 * `older-generation`: a newer publication is already being announced.
 * `already-asked`: the same question, or an earlier one about the same generation.
 * `generation-reused`: the generation names another key than before; a generation names one key for ever.
 */
export type RequestRefusal = 'older-generation' | 'already-asked' | 'generation-reused';

export type RequestDecision =
  | { readonly events: readonly SwitchEvent[]; readonly refused?: never }
  | { readonly refused: RequestRefusal; readonly events?: never };

/** Judges a request: a higher generation replaces the current one, a higher request number asks again. */
export function decideRequest(current: KeySwitch | null, requested: SwitchRequested): RequestDecision {
  const question = questionOf(requested);
  if (current === null || question.generation > current.generation) return asked(question);
  if (question.generation < current.generation) return { refused: 'older-generation' };
  if (question.slot !== current.slot || question.fingerprint !== current.fingerprint) {
    return { refused: 'generation-reused' };
  }
  if (question.request <= current.request) return { refused: 'already-asked' };
  // A publication in doubt is repeated under its generation; silent instances get their time from the last one.
  return asked({ ...question, publishedAt: Math.max(question.publishedAt, current.publishedAt) });
}

function asked(question: Question): RequestDecision {
  return { events: [{ event: 'switch-requested', question }] };
}

function questionOf(requested: SwitchRequested): Question {
  const { rotationId, publishedAt, deadlineAt, ...same } = requested;
  return {
    ...same,
    rotationId: rotationId ?? null,
    publishedAt: Date.parse(publishedAt),
    deadlineAt: Date.parse(deadlineAt),
  };
}
