import type { RotationEvent } from './answers.js';
import { clockTime, relative, seconds } from './moments.js';
import type { Screen } from './screen.js';

const STEP_WIDTH = 'regenerate-key1'.length;

/** One event as one line: when, how it stands, which step, what about it. */
export function eventLine(event: RotationEvent, { paint }: Screen): string {
  const { mark, subject, text } = tell(event);
  const painted = { '✓': paint.green, '✗': paint.red, '!': paint.yellow, '…': paint.yellow, '·': paint.dim };
  return `${paint.dim(clockTime(event.at))}  ${painted[mark](mark)} ${subject.padEnd(STEP_WIDTH)}   ${text}`.trimEnd();
}

interface Told {
  readonly mark: '✓' | '✗' | '!' | '…' | '·';
  readonly subject: string;
  readonly text: string;
}

function tell({ event, what }: RotationEvent): Told {
  const word = (name: string): string => {
    const value = what[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
  const number = (name: string): number => Number(what[name] ?? 0);
  const step = word('step') || event;
  switch (event) {
    case 'requested':
      return { mark: '·', subject: event, text: `by ${word('by')}: ${word('reason')}` };
    case 'step-started':
      return { mark: '·', subject: step, text: 'begun' };
    case 'step-done':
      return { mark: '✓', subject: step, text: seconds(number('seconds')) };
    case 'waiting': {
      const until = word('until');
      const limit = until === '' ? '' : `, until ${clockTime(until)} (${relative(until)})`;
      return { mark: '…', subject: step, text: `waiting for ${word('for')}: ${word('detail')}${limit}` };
    }
    case 'published':
      return {
        mark: '✓',
        subject: event,
        text: `${word('slot')} as generation ${word('generation')}, fingerprint ${word('fingerprint')}`,
      };
    case 'retired': {
      const by = what['by'] === 'stranger' ? ' by a stranger' : '';
      return {
        mark: '✓',
        subject: event,
        text: `${word('slot')}${by}: fingerprint ${word('fingerprint')} is dead`,
      };
    }
    case 'drift':
      return { mark: '!', subject: event, text: `${word('kind')}: ${word('detail')}` };
    case 'drift-over':
      return { mark: '✓', subject: event, text: `${word('how')}: ${word('detail')}` };
    case 'restored':
      return { mark: '!', subject: event, text: word('detail') };
    case 'halted':
      return { mark: '✗', subject: event, text: `${word('reason')}: ${word('detail')}` };
    case 'replayed':
      return { mark: '·', subject: event, text: `by ${word('by')}` };
    case 'foreseen': {
      const { next } = (what['goesOn'] ?? {}) as { next?: string };
      return { mark: '·', subject: event, text: `a replay would go on so: ${next ?? ''}` };
    }
    case 'forced':
      return { mark: '!', subject: step, text: `forced: ${word('detail')}` };
    case 'waived':
      return {
        mark: '!',
        subject: event,
        text: `${word('consumer')} by ${word('by')}: ${word('reason')}`,
      };
    case 'completed':
      return {
        mark: '✓',
        subject: event,
        text: `${seconds(number('seconds'))}, ${word('keysReplaced')} keys replaced`,
      };
    case 'refused':
      return { mark: '✗', subject: event, text: `${word('command')}: ${word('detail')}` };
    default:
      return { mark: '·', subject: event, text: '' };
  }
}
