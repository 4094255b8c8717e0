import { describe, expect, it } from '@jest/globals';
import { afterUnaskedEnd, type Child, type ExecWishes, nextExecStep } from './exec/plan.js';
import { BEGUN, type FileProgress, type FileStep, type FileWishes, nextFileStep } from './file/plan.js';

/** Does what the plan says, in a world in which everything works, and tells what it did. */
function played(
  begin: Pick<FileProgress, 'holds' | 'wasThere'>,
  wishes: FileWishes,
  { isRunning = true }: { isRunning?: boolean } = {},
): (FileStep['do'] | number)[] {
  let now = 1_000;
  let progress: FileProgress = { ...BEGUN, ...begin };
  if (begin.holds === 'wanted') progress = { ...progress, rightSince: now };
  const done: (FileStep['do'] | number)[] = [];
  while (done.length < 20) {
    const step = nextFileStep(progress, wishes, now);
    if (step.do === 'done') return done;
    done.push(step.do === 'wait' ? step.ms : step.do);
    if (step.do === 'write') progress = { ...progress, holds: 'wanted', rightSince: now };
    if (step.do === 'signal')
      progress = { ...progress, signalled: isRunning ? { at: now } : { absentAt: now } };
    if (step.do === 'check') progress = { ...progress, isReady: true };
    if (step.do === 'wait') now += step.ms;
  }
  return done;
}

describe('a file with a key', () => {
  const all: FileWishes = { signals: true, checks: true, drainMs: 500 };
  const none: FileWishes = { signals: false, checks: false, drainMs: 0 };

  it('is written, the program is told and asked whether it is ready, and its last calls may end', () => {
    expect(played({ holds: 'other', wasThere: true }, all)).toEqual(['write', 'signal', 'check', 500]);
  });

  it('that is right already is not written; the program is told all the same: the one who wrote it may have died before', () => {
    expect(played({ holds: 'wanted', wasThere: true }, all)).toEqual(['signal', 'check', 500]);
  });

  it('leaves time for an older key also when nobody is told', () => {
    expect(played({ holds: 'other', wasThere: true }, { ...none, drainMs: 500 })).toEqual(['write', 500]);
  });

  it('that was not there before leaves nobody with an older key', () => {
    expect(played({ holds: 'nothing', wasThere: false }, all)).toEqual(['write', 'signal', 'check']);
    expect(played({ holds: 'nothing', wasThere: false }, all, { isRunning: false })).toEqual([
      'write',
      'signal',
    ]);
    expect(played({ holds: 'nothing', wasThere: false }, { ...all, signals: false })).toEqual(['write']);
  });

  it('is looked after once more when the program did not run: it may just have been starting with the older key', () => {
    const steps = played({ holds: 'other', wasThere: true }, all, { isRunning: false });
    expect(steps).toEqual(['write', 'signal', 500, 'signal']);
  });
});

describe('a program that is started anew for each key', () => {
  const usual: ExecWishes = { overlap: false, graceMs: 100 };
  const overlap: ExecWishes = { ...usual, overlap: true };
  const child = (number: number, of: string, phase: Child['phase'], askedAt = 0): Child => ({
    number,
    of,
    phase,
    askedAt,
  });
  const next = (children: Child[], wishes: ExecWishes, now = 0) => nextExecStep(children, 'a=2', wishes, now);

  it('is started when it does not run, and done when it is up', () => {
    expect(next([], usual)).toEqual({ do: 'start' });
    expect(next([child(1, 'a=2', 'starting')], usual)).toEqual({ do: 'check', child: 1 });
    expect(next([child(1, 'a=2', 'up')], usual)).toEqual({ do: 'done' });
  });

  it('ends with the older key before it starts with the newer, killed when its time is over', () => {
    expect(next([child(1, 'a=1', 'up')], usual)).toEqual({ do: 'ask', child: 1 });
    expect(next([child(1, 'a=1', 'asked', 50)], usual, 60)).toEqual({ do: 'wait', ms: 90 });
    expect(next([child(1, 'a=1', 'asked', 50)], usual, 150)).toEqual({ do: 'kill', child: 1 });
    expect(next([child(1, 'a=1', 'killed', 50)], usual, 160)).toEqual({ do: 'wait', ms: null });
  });

  it('starts with the newer key first if that is wanted, and is done when the older one is gone', () => {
    expect(next([child(1, 'a=1', 'up')], overlap)).toEqual({ do: 'start' });
    const starting = child(2, 'a=2', 'starting');
    expect(next([child(1, 'a=1', 'up'), starting], overlap)).toEqual({ do: 'check', child: 2 });
    const up = child(2, 'a=2', 'up');
    expect(next([child(1, 'a=1', 'up'), up], overlap)).toEqual({ do: 'ask', child: 1 });
    expect(next([child(1, 'a=1', 'asked', 0), up], overlap, 10)).toEqual({ do: 'wait', ms: 90 });
    expect(next([up], overlap)).toEqual({ do: 'done' });
  });

  it('never counts a process that was asked to end as the one that runs, even with the right key', () => {
    expect(next([child(1, 'a=2', 'asked')], usual)).toEqual({ do: 'wait', ms: 100 });
    expect(next([child(1, 'a=2', 'asked')], overlap)).toEqual({ do: 'start' });
  });

  it('is over when its only process ends on its own; else the other one does the work', () => {
    expect(afterUnaskedEnd(child(1, 'a=1', 'up'), [])).toBe('over');
    expect(afterUnaskedEnd(child(2, 'a=2', 'starting'), [child(1, 'a=1', 'up')])).toBe('not-started');
    expect(afterUnaskedEnd(child(1, 'a=1', 'up'), [child(2, 'a=2', 'starting')])).toBe('replaced');
    expect(afterUnaskedEnd(child(2, 'a=2', 'starting'), [child(1, 'a=1', 'asked')])).toBe('over');
  });
});
