// Events of Azure that say that somebody wrote a secret or regenerated a key. They come some seconds after the fact,
// also for what we did ourselves, and they are hints: whoever sends them, the account is only looked at.
import { AZURE_EVENTS, readAzureEvents, type AzureEvent } from '@twinkey/contracts';
import { decideLook, type KeyRing } from '@twinkey/rotation';
import type { Background, Log } from '@twinkey/service';
import type { Accounts } from './accounts.js';
import type { Advance } from './advance.js';
import type { Inputs } from './inputs.js';
import type { KeyRings } from './key-rings.js';

/** The parts of the bus that are used, so that this need not know its library. */
interface EventBus {
  receive(
    source: { readonly queue: string },
    options: object,
    handle: (message: { readonly body: unknown }) => Promise<Settled>,
  ): Promise<{ close(): Promise<void> }>;
}
type Settled =
  | { readonly settle: 'complete' }
  | { readonly settle: 'dead-letter'; readonly reason: string; readonly description: string };

/** Clocks of Azure's front ends and ours may be so far apart. */
const SAME_MOMENT_MS = 60_000;

export class AzureEvents implements Background {
  readonly name = AZURE_EVENTS;
  #receiving: { close(): Promise<void> } | undefined;

  constructor(
    private readonly parts: {
      readonly bus: EventBus;
      readonly accounts: Accounts;
      readonly rings: KeyRings;
      readonly inputs: Inputs;
      readonly advance: Advance;
      readonly log: Log;
    },
  ) {}

  async start(): Promise<void> {
    this.#receiving = await this.parts.bus.receive({ queue: AZURE_EVENTS }, {}, ({ body }) =>
      this.take(body),
    );
  }

  async stop(): Promise<void> {
    await this.#receiving?.close();
  }

  /** Takes one delivery; what it throws has the message delivered again. */
  async take(body: unknown): Promise<Settled> {
    const read = readAzureEvents(body);
    if (!read.ok) {
      return {
        settle: 'dead-letter',
        reason: 'UnreadableMessage',
        description: `The body is no event of Azure: ${read.problem}.`,
      };
    }
    for (const event of read.events) await this.#hear(event);
    return { settle: 'complete' };
  }

  async #hear(event: AzureEvent): Promise<void> {
    switch (event.is) {
      case 'secret-written':
        return this.#secretWritten(event);
      case 'key-regenerated':
        return this.#keyRegenerated(event);
      case 'something-else':
        this.parts.log.debug({ type: event.type }, 'An event of Azure is about something else');
        return;
      default:
        return event satisfies never;
    }
  }

  /** A look costs a read of the vault; only if that is not what was published is more done. */
  async #secretWritten({ vaultUrl, name, version }: AzureEvent & { is: 'secret-written' }): Promise<void> {
    for (const account of await this.parts.accounts.withSecret({ vaultUrl, name })) {
      const { ring } = await this.parts.rings.load(account);
      if (ring.published?.version !== version) this.parts.advance.inspect(account);
    }
  }

  async #keyRegenerated({ id, at, account }: AzureEvent & { is: 'key-regenerated' }): Promise<void> {
    const known = await this.parts.accounts.find(account);
    if (known === null || known.withdrawn) return;
    const { ring } = await this.parts.rings.load(account);
    if (wasOurs(ring, at)) return;
    const why = 'Azure says that somebody regenerated a key';
    await this.parts.inputs.take({
      account,
      messageId: id,
      handler: AZURE_EVENTS,
      decide: (now, moment) => decideLook(now, why, moment),
    });
  }
}

/**
 * The event of our own call. It does not name the slot, and listing the keys for each of them would double what a
 * rotation costs: a stranger who regenerates within the same minute is found by the next look or rotation.
 */
export function wasOurs({ slots }: KeyRing, at: number): boolean {
  return (['key1', 'key2'] as const).some((slot) => {
    const { regenerations, regeneratedAt = null } = slots[slot];
    return (
      regenerations.length > 0 || (regeneratedAt !== null && Math.abs(regeneratedAt - at) <= SAME_MOMENT_MS)
    );
  });
}
