// What to do next with the children of an agent, so that in the end one of them runs, with the wanted keys. Pure.
//
//   starting ──ready──► up ──SIGTERM──► asked ──grace over──► killed ──► (gone)
//
//   usual:    end the older ──► gone ──► start the new one ──► ready ──► done
//   overlap:  start the new one ──► ready ──► end the older ──► gone ──► done

export interface Child {
  /** The order in which they were started. */
  readonly number: number;
  /** Which generations it was started with. */
  readonly of: string;
  readonly phase: 'starting' | 'up' | 'asked' | 'killed';
  /** When it was asked to end; of no meaning before. */
  readonly askedAt: number;
}

export interface ExecWishes {
  readonly overlap: boolean;
  /** How long a child that was asked to end may take. */
  readonly graceMs: number;
}

export type ExecStep =
  | { readonly do: 'start' }
  /** Find out whether it is ready. */
  | { readonly do: 'check'; readonly child: number }
  | { readonly do: 'ask'; readonly child: number }
  | { readonly do: 'kill'; readonly child: number }
  /** Until the time is over or a child is gone; null: until a child is gone. */
  | { readonly do: 'wait'; readonly ms: number | null }
  | { readonly do: 'done' };

/** The one next thing to do for `wanted`. */
export function nextExecStep(
  children: readonly Child[],
  wanted: string,
  { overlap, graceMs }: ExecWishes,
  now: number,
): ExecStep {
  const isRunning = ({ phase }: Child): boolean => phase === 'starting' || phase === 'up';
  const current = children.find((child) => child.of === wanted && isRunning(child));
  const others = children.filter((child) => child !== current);
  if (current === undefined && (overlap || others.length === 0)) return { do: 'start' };
  if (current?.phase === 'starting') return { do: 'check', child: current.number };

  const running = others.find(isRunning);
  if (running !== undefined) return { do: 'ask', child: running.number };
  if (others.length === 0) return { do: 'done' };
  const left = others
    .filter(({ phase }) => phase === 'asked')
    .map(({ number, askedAt }) => ({ child: number, ms: askedAt + graceMs - now }))
    .sort((one, other) => one.ms - other.ms);
  const [first] = left;
  if (first === undefined) return { do: 'wait', ms: null };
  return first.ms <= 0 ? { do: 'kill', child: first.child } : { do: 'wait', ms: first.ms };
}

/**
 * A child is gone that nobody asked to end. `replaced`: another one does its work. `not-started`: the one before does.
 * `over`: the program has ended, and so does the agent.
 */
export function afterUnaskedEnd(gone: Child, left: readonly Child[]): 'replaced' | 'not-started' | 'over' {
  const running = left.filter(({ phase }) => phase === 'starting' || phase === 'up');
  if (running.length === 0) return 'over';
  return gone.phase === 'starting' ? 'not-started' : 'replaced';
}
