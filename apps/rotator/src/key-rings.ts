// Key rings as they are stored: folded state, journal and messages in one commit.
import {
  accountName,
  Interrupted,
  RotationEvent,
  type AccountId,
  type AccountSettings,
  type Message,
} from '@twinkey/contracts';
import {
  loadStream,
  type Database,
  type LeaseGrant,
  type OutboxMessage,
  type Writer,
} from '@twinkey/journal';
import { emptyRing, evolve, type KeyRing, type RingEvent } from '@twinkey/rotation';
import { span } from '@twinkey/service';
import { announce } from './announce.js';

export interface LoadedRing {
  readonly ring: KeyRing;
  /** 0: not stored yet. */
  readonly version: number;
}

export interface RecordOptions {
  readonly settings: AccountSettings | null;
  readonly lookAgainAt: Date | null;
  /** The commit is refused when this lease is no longer ours. */
  readonly lease?: LeaseGrant;
  readonly inbox?: { readonly handler: string; readonly messageId: string };
}

export type Recorded =
  | { readonly recorded: true; readonly loaded: LoadedRing }
  | { readonly recorded: false; readonly why: 'stale-version' | 'message-already-handled' };

export class KeyRings {
  constructor(
    private readonly database: Database,
    private readonly writer: Writer,
    /** The life of the database in which a ring that is not stored yet begins. */
    private readonly incarnation: () => number = () => 0,
    /** Hears what people are told, once it is committed. */
    private readonly told: (event: RotationEvent) => void = () => undefined,
  ) {}

  async load(account: AccountId): Promise<LoadedRing> {
    const stored = await loadStream<KeyRing>(this.database, account);
    return stored === null
      ? { ring: { ...emptyRing(account), incarnation: this.incarnation() }, version: 0 }
      : { ring: upToDate(stored.state), version: stored.version };
  }

  /** Folds the events into the ring and commits all of it, if nobody was faster. Throws Interrupted when the lease is lost. */
  async record(loaded: LoadedRing, events: readonly RingEvent[], options: RecordOptions): Promise<Recorded> {
    let { ring } = loaded;
    const outbox: OutboxMessage[] = [];
    for (const event of events) {
      const after = evolve(ring, event);
      outbox.push(...announce(ring, event, after, options.settings));
      ring = after;
    }
    const change = {
      stream: ring.account,
      expectedVersion: loaded.version,
      state: ring,
      lookAgainAt: options.lookAgainAt,
      events: events.map(({ type, at, ...data }) => ({ type, at: new Date(at), data })),
      outbox,
      ...(options.lease === undefined ? {} : { lease: options.lease }),
      about: aboutOf(ring, loaded.ring),
      ...(options.inbox === undefined ? {} : { inbox: options.inbox }),
    };
    const recorded = { 'twinkey.events': events.map(({ type }) => type).join(' ') };
    const outcome = await span('commit', {}, recorded, () => this.writer.commit(change));
    if (outcome.committed) {
      for (const { entity, body } of outbox)
        if (entity === RotationEvent.entity) this.told((body as Message<RotationEvent>).data);
      return { recorded: true, loaded: { ring, version: outcome.version } };
    }
    if (outcome.why === 'lease-lost')
      throw new Interrupted('lease-lost', `The lease of ${ring.account} is someone else's.`);
    return { recorded: false, why: outcome.why };
  }
}

/** What lines of the log about a ring have in common. */
function aboutOf({ account, rotation }: KeyRing, before: KeyRing): Record<string, string> {
  const rotationId = (rotation ?? before.rotation)?.rotationId;
  return { account: accountName(account), ...(rotationId === undefined ? {} : { rotationId }) };
}

/** A ring that an earlier release stored lacks what was added since. */
function upToDate(stored: KeyRing): KeyRing {
  const { rotation } = stored;
  return {
    ...emptyRing(stored.account),
    ...stored,
    rotation: rotation && { ...BEFORE_SCOPES, ...rotation },
  };
}

const BEFORE_SCOPES = { scope: 'both', leaked: null } as const;
