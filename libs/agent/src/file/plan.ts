// What to do next with a file that a program reads its key from. Pure.
//
//   write ──► signal ──► check that it is ready ──► drain ──► done

/** How far one placing has come. Times are those of the clock. */
export interface FileProgress {
  /** What the file holds now. */
  readonly holds: 'nothing' | 'other' | 'wanted';
  /** There was a file when this began: the program may use an older key, even if the file is right by now. */
  readonly wasThere: boolean;
  /** When it was last written, or found to be right. */
  readonly rightSince: number | undefined;
  /** `absentAt`: the program did not run then, so there was nobody to tell. */
  readonly signalled: 'no' | { readonly absentAt: number } | { readonly at: number };
  readonly isReady: boolean;
}

export interface FileWishes {
  readonly signals: boolean;
  readonly checks: boolean;
  /** How long the program may go on with an older key after it read, or was told to read, the newer one. */
  readonly drainMs: number;
}

export type FileStep =
  | { readonly do: 'write' }
  | { readonly do: 'signal' }
  | { readonly do: 'check' }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'done' };

export const BEGUN: Omit<FileProgress, 'holds' | 'wasThere'> = {
  rightSince: undefined,
  signalled: 'no',
  isReady: false,
};

/** The one next thing to do. */
export function nextFileStep(progress: FileProgress, wishes: FileWishes, now: number): FileStep {
  const { holds, wasThere, rightSince, signalled, isReady } = progress;
  if (holds !== 'wanted' || rightSince === undefined) return { do: 'write' };
  if (wishes.signals && signalled === 'no') return { do: 'signal' };
  if (signalled !== 'no' && 'absentAt' in signalled) {
    const overAt = wasThere ? rightSince + wishes.drainMs : -Infinity;
    if (signalled.absentAt >= overAt) return { do: 'done' };
    // It may have read the older key a moment ago and be starting still: looked at again when that is over.
    return overAt > now ? { do: 'wait', ms: overAt - now } : { do: 'signal' };
  }
  // Where there never was a file nobody uses an older key, and a program that is not told may be yet to start.
  if (!wasThere && !wishes.signals) return { do: 'done' };
  if (wishes.checks && !isReady) return { do: 'check' };
  if (!wasThere) return { do: 'done' };
  const toldAt = signalled === 'no' ? rightSince : signalled.at;
  const ms = toldAt + wishes.drainMs - now;
  return ms > 0 ? { do: 'wait', ms } : { do: 'done' };
}
