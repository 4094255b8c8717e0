import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { aborted, type Clock, REAL_CLOCK } from '../clock.js';
import type { Names } from '../file/format.js';
import { codeOf } from '../file/signal.js';
import { type Readiness, untilReady } from '../readiness.js';
import { generationsOf, type Keys, Refused, type Target } from '../target.js';
import { afterUnaskedEnd, type Child, type ExecWishes, nextExecStep } from './plan.js';

export interface ExecOptions extends ExecWishes {
  readonly command: string;
  readonly parameters: readonly string[];
  /** The variable for the key of each account. */
  readonly names: Names;
  readonly readiness?: Readiness | undefined;
  /** Without a way to ask whether a child is ready: it is when it has lived this long. */
  readonly settleMs: number;
  readonly env: NodeJS.ProcessEnv;
}

interface Running {
  readonly process: ChildProcess;
  readonly gone: Promise<void>;
  child: Child;
}

/** What shells answer when a command is not there, or is not one. */
const NOT_FOUND = 127;
const NOT_A_PROGRAM = 126;

/** A program that gets its keys from its environment, started anew for each of them. */
export class ExecTarget implements Target {
  readonly where: string;
  /** Resolves with the exit code when the program has ended on its own, or by a signal that was passed on. */
  readonly ended: Promise<number>;
  readonly #options: ExecOptions;
  readonly #clock: Clock;
  readonly #over = new AbortController();
  #end: (code: number) => void = () => undefined;
  #running: readonly Running[] = [];
  #started = 0;
  /** Why a new child did not make it while the older one goes on. */
  #failure: string | undefined;

  constructor(options: ExecOptions, clock: Clock = REAL_CLOCK) {
    this.#options = options;
    this.#clock = clock;
    this.where = `the environment of ${options.command}`;
    this.ended = new Promise((resolve) => {
      this.#end = (code) => {
        this.#over.abort();
        resolve(code);
      };
    });
  }

  /** Passes a signal on to the program; false: there is none to pass it to. From SIGTERM on nothing is started any more. */
  pass(signal: NodeJS.Signals): boolean {
    if (ENDING.has(signal)) this.#over.abort();
    for (const { process: child } of this.#running) child.kill(signal);
    return this.#running.length > 0;
  }

  async place(keys: Keys, outer: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([outer, this.#over.signal]);
    const isOver = (): boolean => signal.aborted;
    const of = generationsOf(keys);
    this.#failure = undefined;
    while (!isOver()) {
      const children = this.#running.map(({ child }) => child);
      const step = nextExecStep(children, of, this.#options, this.#clock.now());
      switch (step.do) {
        case 'start':
          this.#start(keys, of);
          break;
        case 'check':
          await this.#check(this.#found(step.child), signal);
          break;
        case 'ask':
          this.#ask(this.#found(step.child));
          break;
        case 'kill':
          this.#kill(this.#found(step.child));
          break;
        case 'wait':
          await this.#wait(step.ms, signal);
          break;
        case 'done':
          return;
      }
      this.#refuseFailure();
    }
    // The program has ended, so nobody uses any key; but nothing is in place either.
    await aborted(outer);
  }

  #refuseFailure(): void {
    if (this.#failure !== undefined) throw new Refused(this.#failure);
  }

  #start(keys: Keys, of: string): void {
    const { command, parameters, names, env } = this.#options;
    const own = Object.fromEntries(keys.map(({ account, key }) => [names.get(account) ?? account, key()]));
    const child = spawn(command, parameters, { stdio: 'inherit', env: { ...env, ...own } });
    this.#started += 1;
    const running: Running = {
      process: child,
      gone: new Promise((resolve) => {
        child.once('error', (error) => {
          if (child.pid !== undefined) return; // a signal that could not be sent; it still runs
          this.#gone(running, codeOf(error) === 'ENOENT' ? NOT_FOUND : NOT_A_PROGRAM);
          resolve();
        });
        child.once('exit', (code, by) => {
          this.#gone(running, code ?? 128 + (by === null ? 0 : constants.signals[by]));
          resolve();
        });
      }),
      child: { number: this.#started, of, phase: 'starting', askedAt: 0 },
    };
    this.#running = [...this.#running, running];
  }

  async #check(running: Running, signal: AbortSignal): Promise<void> {
    const { readiness, settleMs } = this.#options;
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const surroundings = {
      TWINKEY_GENERATIONS: running.child.of,
      TWINKEY_CHILD_PID: String(running.process.pid ?? ''),
    };
    const ready =
      readiness === undefined
        ? this.#clock.wait(settleMs, either)
        : untilReady(readiness, { clock: this.#clock, signal: either, surroundings });
    try {
      await Promise.race([ready, running.gone]);
    } finally {
      over.abort();
      void ready.catch(() => undefined);
    }
    if (!signal.aborted && this.#running.includes(running)) running.child = { ...running.child, phase: 'up' };
  }

  #ask(running: Running): void {
    running.child = { ...running.child, phase: 'asked', askedAt: this.#clock.now() };
    running.process.kill('SIGTERM');
  }

  #kill(running: Running): void {
    running.child = { ...running.child, phase: 'killed' };
    running.process.kill('SIGKILL');
  }

  async #wait(ms: number | null, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const time = ms === null ? aborted(signal) : this.#clock.wait(ms, AbortSignal.any([signal, over.signal]));
    await Promise.race([time, ...this.#running.map(({ gone }) => gone)]);
    over.abort();
  }

  #gone(running: Running, code: number): void {
    this.#running = this.#running.filter((each) => each !== running);
    const { phase } = running.child;
    const left = this.#running.map(({ child }) => child);
    if (this.#over.signal.aborted) {
      if (left.length === 0) this.#end(code);
      return;
    }
    if (phase === 'asked' || phase === 'killed') return;
    const verdict = afterUnaskedEnd(running.child, left);
    if (verdict === 'over') this.#end(code);
    if (verdict === 'not-started') {
      this.#failure = `the new process ended with exit code ${code} before it was ready; the older one goes on`;
    }
  }

  #found(number: number): Running {
    const found = this.#running.find(({ child }) => child.number === number);
    if (found === undefined) throw new Error(`no child ${number}`);
    return found;
  }
}

/** After these a program is expected to end. */
const ENDING: ReadonlySet<NodeJS.Signals> = new Set(['SIGTERM', 'SIGINT']);
