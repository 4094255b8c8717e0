// Why an account is asked to rotate or left alone, as codes for programs and sentences for people.
import type { RotationId } from '@twinkey/contracts';

export type AskReason = 'first-rotation' | 'interval-over' | 'unanswered' | 'no-progress' | 'outcome-missed';
export type WaitReason = 'gone' | 'unread' | 'keys-disabled' | 'asked' | 'halted' | 'rotating' | 'not-due';

export interface Ask {
  readonly do: 'ask';
  readonly why: AskReason;
  readonly rotationId: RotationId;
  /** Milliseconds since 1970. */
  readonly dueAt: number;
  /** What rotation-due says. */
  readonly reason: 'interval' | 'first-rotation';
}

export interface Wait {
  readonly do: 'wait';
  readonly why: WaitReason;
  /** When to judge the account again, in milliseconds since 1970; null: when something is heard of it. */
  readonly until: number | null;
}

export type Verdict = Ask | Wait;

const SENTENCES: Readonly<Record<AskReason | WaitReason, string>> = {
  'first-rotation': 'It was never rotated, and its policy says to do so now.',
  'interval-over': 'Its keys have served for the interval of its policy.',
  unanswered: 'The rotator was asked and has not answered: it is asked again.',
  'no-progress': 'Nothing was heard of its rotation for a while: the rotator is asked how it stands.',
  'outcome-missed': 'The outcome of its last rotation was not heard for a whole interval: it is asked again.',
  gone: 'Azure does not know the account, or it is no longer under care.',
  unread: 'Azure has not answered about the account yet.',
  'keys-disabled': 'The account accepts no keys (disableLocalAuth), so there is nothing to rotate.',
  asked: 'The rotator was asked to rotate it.',
  halted: 'Its rotation halted and waits for a person.',
  rotating: 'Its rotation is under way.',
  'not-due': 'Its keys are younger than the interval of its policy.',
};

/** The reason in one sentence. */
export function sentenceOf(why: AskReason | WaitReason): string {
  return SENTENCES[why];
}
