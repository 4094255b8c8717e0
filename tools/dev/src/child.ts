// A process of the stack: its output goes to a log file, and it is started again when it ends unexpectedly.
//
//   stopped --start--> running --exit unexpected--> waiting 1 s --> running
//   running --kill--> stopped (on purpose: stays down until start)   any --stop--> stopped
import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { forgetChild, rememberChild } from './orphans.js';

const RESTART_AFTER_MS = 1_000;
const STOP_WITHIN_MS = 20_000;

export interface ChildSettings {
  readonly name: string;
  readonly script: string;
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Where the running children of this launcher are noted down. */
  readonly pidFolder: string;
  /** How far it stands back when processors are scarce; 0 unless given. */
  readonly nice?: number;
  /** Keep it running. Without it an end is an end. */
  readonly restart: boolean;
  readonly onLine?: (line: string) => void;
  /** Called when it ended although nobody asked for it. */
  readonly onUnexpectedExit?: (how: string) => void;
}

export class Child {
  readonly #log: WriteStream;
  #process: ChildProcess | undefined;
  #wanted = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(readonly settings: ChildSettings) {
    this.#log = createWriteStream(settings.logFile, { flags: 'a' });
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  start(): void {
    if (this.#process !== undefined) return;
    this.#wanted = true;
    const { script, args = [], env } = this.settings;
    // `--`: Node 20 takes an `--env-file` among the script's own arguments for its own.
    const child = spawn(process.execPath, ['--', script, ...args], {
      // Node 22.1 and newer keep compiled modules there; older ones ignore it.
      env: { ...inherited(), NODE_COMPILE_CACHE: join(tmpdir(), 'twinkey-compiled'), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group of its own: Ctrl+C in the terminal is for the launcher, which ends its children in order.
      detached: true,
    });
    this.#process = child;
    const { name, pidFolder } = this.settings;
    if (child.pid !== undefined) {
      rememberChild(pidFolder, name, child.pid, script);
      setPriority(child.pid, this.settings.nice ?? 0);
    }
    this.#listen(child.stdout);
    this.#listen(child.stderr);
    child.once('exit', (code, signal) => {
      this.#process = undefined;
      forgetChild(pidFolder, name);
      this.#log.write(`--- ${name} ended (${signal ?? `exit code ${code ?? '?'}`})\n`);
      if (!this.#wanted) return;
      this.settings.onUnexpectedExit?.(signal ?? `exit code ${code ?? '?'}`);
      if (!this.settings.restart) return;
      this.#timer = setTimeout(() => {
        this.start();
      }, RESTART_AFTER_MS);
    });
  }

  /** Ends it at once, as a crash would, and leaves it down. */
  async kill(): Promise<void> {
    this.#wanted = false;
    clearTimeout(this.#timer);
    await this.#end('SIGKILL', 0);
  }

  /** SIGTERM, and SIGKILL if it does not end in time. */
  async stop(): Promise<void> {
    this.#wanted = false;
    clearTimeout(this.#timer);
    await this.#end('SIGTERM', STOP_WITHIN_MS);
  }

  async #end(signal: NodeJS.Signals, patienceMs: number): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    await exited;
    clearTimeout(timer);
  }

  #listen(stream: NodeJS.ReadableStream): void {
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      this.#log.write(chunk);
      const { onLine } = this.settings;
      if (onLine === undefined) return;
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    });
  }
}

/**
 * What a child may know of our environment: nothing that could lead it to another Azure or database. Whoever names a
 * collector of traces wants them from the services.
 */
function inherited(): Record<string, string> {
  const kept = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'NODE_OPTIONS', 'SystemRoot'].concat(
    Object.keys(process.env).filter((name) => name.startsWith('OTEL_')),
  );
  return Object.fromEntries(
    kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}
