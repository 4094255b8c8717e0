import { setTimeout as sleep } from 'node:timers/promises';
import { ControlInvalid } from './control-invalid.js';
import { isObject, type ServiceName } from './plugin.js';

export type AnyService = ServiceName | 'service-bus';

/** `arm`, `entra` and `ai` share one address: restarting one takes the others with it. */
export interface RestartOptions {
  /** All unless said. */
  readonly service?: AnyService | 'all';
  /** How long nothing listens; 0 unless said. In time of the machine, whatever the emulator's clock says. */
  readonly downMs?: number;
  /** Entra comes back with new keys, so that every token out there is worthless. */
  readonly forgetSigningKeys?: boolean;
}

/** Something that listens, and can be closed and opened again at the same address. */
export interface Part {
  readonly services: readonly AnyService[];
  close(): Promise<void>;
  /** Reads again what it keeps on disk. */
  open(): Promise<void>;
}

export const everyService: readonly AnyService[] = ['entra', 'arm', 'key-vault', 'ai', 'service-bus'];

/** A restart that is announced: its services count as down, and go down when it begins. */
export interface Announced {
  readonly services: readonly AnyService[];
  begin(): Promise<void>;
}

/** Restarts parts of the emulator, one order after the other. */
export class Restarts {
  readonly #down = new Map<object, readonly AnyService[]>();
  #last: Promise<void> = Promise.resolve();

  constructor(
    private readonly parts: readonly Part[],
    private readonly stopped: AbortSignal,
    private readonly forgetSigningKeys: () => Promise<void>,
  ) {}

  /** Services that are not all back yet. */
  down(): readonly AnyService[] {
    const down = new Set([...this.#down.values()].flat());
    return everyService.filter((service) => down.has(service));
  }

  /** Throws {@link ControlInvalid}. */
  announce(options: RestartOptions): Announced {
    const { service = 'all', downMs = 0, forgetSigningKeys = false } = parseRestart(options);
    const parts = this.parts.filter(({ services }) => service === 'all' || services.includes(service));
    const services = parts.flatMap((part) => part.services);
    if (forgetSigningKeys && !services.includes('entra')) {
      throw new ControlInvalid('forgetSigningKeys: the keys are those of entra; restart entra, or all.');
    }
    const order = {};
    this.#down.set(order, services);
    const act = async () => {
      try {
        await this.#restart(parts, downMs, forgetSigningKeys);
      } finally {
        this.#down.delete(order);
      }
    };
    return {
      services,
      begin: () => {
        const done = this.#last.then(act);
        this.#last = done.catch(() => undefined); // whoever ordered it hears of it
        return done;
      },
    };
  }

  /** Resolves when no restart is under way. */
  async settled(): Promise<void> {
    await this.#last;
  }

  #isEnding(): boolean {
    return this.stopped.aborted;
  }

  async #restart(parts: readonly Part[], downMs: number, forgetSigningKeys: boolean): Promise<void> {
    if (this.#isEnding()) return;
    await Promise.all(parts.map((part) => part.close()));
    if (downMs > 0) {
      // Cut short when the emulator ends meanwhile.
      await sleep(downMs, undefined, { signal: this.stopped }).catch(() => undefined);
    }
    if (this.#isEnding()) return;
    if (forgetSigningKeys) await this.forgetSigningKeys();
    for (const part of parts) await part.open();
  }
}

/** Throws {@link ControlInvalid} at the first field that breaks a rule. */
export function parseRestart(value: unknown): RestartOptions {
  if (!isObject(value)) throw new ControlInvalid('A JSON object was expected, such as { "service": "arm" }.');
  const { service, downMs, forgetSigningKeys, ...others } = value;
  const [strange] = Object.keys(others);
  if (strange !== undefined)
    throw new ControlInvalid(`${strange}: no such field; a restart has service, downMs, forgetSigningKeys.`);
  const known = [...everyService, 'all' as const].find((one) => one === service);
  if (service !== undefined && known === undefined)
    throw new ControlInvalid(`service: one of ${everyService.join(', ')}, all.`);
  if (downMs !== undefined && !(typeof downMs === 'number' && downMs >= 0 && downMs <= 3_600_000))
    throw new ControlInvalid('downMs: milliseconds, 0 to 3600000.');
  if (forgetSigningKeys !== undefined && typeof forgetSigningKeys !== 'boolean')
    throw new ControlInvalid('forgetSigningKeys: true or false.');
  return {
    ...(known === undefined ? {} : { service: known }),
    ...(downMs === undefined ? {} : { downMs }),
    ...(forgetSigningKeys === undefined ? {} : { forgetSigningKeys }),
  };
}
