import { isPermanentFault, isTransientFault } from '@twinkey/contracts';

/** What a service may add to its readiness. */
export interface Health {
  /** Readiness needs `probe` to resolve; its rejection is shown as the reason. */
  watch(name: string, probe: () => Promise<void>): void;
}

export type Check =
  { readonly status: 'up' } | { readonly status: 'down'; readonly code: string; readonly reason: string };

export interface Readiness {
  readonly status: 'starting' | 'ready' | 'unready' | 'stopping';
  readonly checks: Readonly<Record<string, Check>>;
}

/** A kubelet asks every few seconds and gives up after one or two: a slow neighbour must not make us late. */
const PROBE_WITHIN_MS = 900;
/** However many ask, each neighbour is asked once in this time. */
const FRESH_FOR_MS = 1_000;

/**
 * Readiness of the service.
 *
 *   starting ──started()──► ready / unready (as the probes say) ──stopping()──► stopping
 */
export class ServiceHealth implements Health {
  private mode: 'starting' | 'started' | 'stopping' = 'starting';
  private readonly probes = new Map<string, Probe>();

  watch(name: string, probe: () => Promise<void>): void {
    this.probes.set(name, new Probe(probe));
  }

  get isStarting(): boolean {
    return this.mode === 'starting';
  }

  started(): void {
    if (this.mode === 'starting') this.mode = 'started';
  }

  stopping(): void {
    this.mode = 'stopping';
  }

  async readiness(): Promise<Readiness> {
    const checks = Object.fromEntries(
      await Promise.all(
        [...this.probes].map(async ([name, probe]): Promise<[string, Check]> => [name, await probe.check()]),
      ),
    );
    const allUp = Object.values(checks).every(({ status }) => status === 'up');
    return { status: this.mode === 'started' ? (allUp ? 'ready' : 'unready') : this.mode, checks };
  }
}

class Probe {
  private running: Promise<Check> | undefined;
  private last: { readonly check: Check; readonly at: number } | undefined;

  constructor(private readonly probe: () => Promise<void>) {}

  async check(): Promise<Check> {
    if (this.last !== undefined && performance.now() - this.last.at < FRESH_FOR_MS) return this.last.check;
    this.running ??= this.run();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Check>((resolve) => {
      const check: Check = {
        status: 'down',
        code: 'no-answer',
        reason: `No answer within ${PROBE_WITHIN_MS} ms.`,
      };
      // What it said last is the better reason, as long as that was no "up".
      timer = setTimeout(() => {
        resolve(this.last?.check.status === 'down' ? this.last.check : check);
      }, PROBE_WITHIN_MS);
    });
    return Promise.race([this.running, late]).finally(() => {
      clearTimeout(timer);
    });
  }

  private async run(): Promise<Check> {
    const check = await this.probe().then((): Check => ({ status: 'up' }), down);
    this.last = { check, at: performance.now() };
    this.running = undefined;
    return check;
  }
}

function down(error: unknown): Check {
  const code = isTransientFault(error) || isPermanentFault(error) ? error.code : 'defect';
  return { status: 'down', code, reason: error instanceof Error ? error.message : String(error) };
}
