import {
  AccountId,
  ConsumerName,
  generation,
  type HeartbeatAnswer,
  type HeartbeatRequest,
  InstanceId,
  type KeyAcknowledged,
  type KeyChanged,
  type RegisterRequest,
} from '@twinkey/contracts';
import type { Channel } from '../channel.js';
import type { BeforeSwitch } from '../consent.js';
import { Events, type TwinkeyEvents } from '../events.js';
import { HandTime } from '../fake/hand-time.js';
import type { FollowedAccount } from '../followed-account.js';
import type { Notifier } from '../notifier-client.js';
import { Session } from '../session.js';
import type { ReadVersion, Vault } from '../vault-reader.js';

export const account = AccountId.parse(
  '/subscriptions/0b1f6471-1bf0-4dda-aec3-cb9272f09590/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts/speech-prod',
);
const secret = { vaultUrl: 'https://vault.example.com', name: 'speech-prod' };
export const BOOT = '6f1f3f0e-51cf-4d0b-a5a7-8f4c3f6f0c11';

export interface SessionWishes {
  readonly channel?: boolean;
  readonly waitForFirstPublication?: boolean;
  readonly beforeSwitch?: BeforeSwitch;
  readonly askAgainSeconds?: number;
}

/** The world of one instance: notifier, vault and bus, all of them in the hands of the spec. */
export class World implements Notifier, Vault, Channel {
  /** What happened, in order. */
  readonly log: string[] = [];
  readonly registrations: RegisterRequest[] = [];
  readonly heartbeats: HeartbeatRequest[] = [];
  readonly acknowledgements: KeyAcknowledged[] = [];
  readonly heard: { [Name in keyof TwinkeyEvents]: TwinkeyEvents[Name][] } = {
    switched: [],
    kept: [],
    lapsed: [],
    resumed: [],
    refused: [],
    error: [],
  };
  readonly time = new HandTime();
  /** The generation that the notifier knows of. */
  current = 1;
  version: ReadVersion = published(1);
  notifierFails: Error | undefined;
  knows = true;
  closes = true;
  announce: (announcement: KeyChanged) => void = () => undefined;

  readonly #events = new Events({
    switched: (event) => this.heard.switched.push(event),
    kept: (event) => this.heard.kept.push(event),
    lapsed: (event) => this.heard.lapsed.push(event),
    resumed: (event) => this.heard.resumed.push(event),
    error: (event) => this.heard.error.push(event),
  });

  session({
    channel = true,
    waitForFirstPublication = true,
    beforeSwitch,
    askAgainSeconds = 60,
  }: SessionWishes = {}): Session {
    return new Session({
      settings: {
        consumer: ConsumerName.parse('voice-bot'),
        accounts: ['speech-prod'],
        name: 'voice-bot-1',
        notifierUrl: '',
        serviceBus: undefined,
        drainSeconds: 30,
        startWithinSeconds: 60,
        waitForFirstPublication,
        disableInstanceDiscovery: false,
        disableChallengeCheck: false,
        askAgainSeconds,
      },
      boot: BOOT,
      notifier: this,
      vault: this,
      channel: channel ? this : undefined,
      timing: this.time,
      events: this.#events,
      beforeSwitch,
    });
  }

  register(request: RegisterRequest) {
    this.log.push('register');
    if (this.notifierFails) return Promise.reject(this.notifierFails);
    this.registrations.push(request);
    return Promise.resolve({
      ...this.#keys(),
      instance: InstanceId.parse(`i-000000000000000${this.registrations.length}`),
      heartbeatSeconds: 10,
      rereadSeconds: 60,
      subscriptions: [{ topic: 'key-changed-0', subscription: 'i' }],
    });
  }

  heartbeat(_: InstanceId, request: HeartbeatRequest): Promise<HeartbeatAnswer | 'unknown-instance'> {
    if (this.notifierFails) return Promise.reject(this.notifierFails);
    this.heartbeats.push(request);
    return Promise.resolve(this.knows ? this.#keys() : 'unknown-instance');
  }

  goodbye(): Promise<void> {
    this.log.push('goodbye');
    return Promise.resolve();
  }

  read(): Promise<ReadVersion> {
    this.log.push('read');
    return Promise.resolve(this.version);
  }

  listen(_: unknown, onKeyChanged: (announcement: KeyChanged) => void): Promise<void> {
    this.announce = onKeyChanged;
    return Promise.resolve();
  }

  acknowledge(acknowledgement: KeyAcknowledged): Promise<void> {
    this.log.push(`acknowledge ${acknowledgement.generation}`);
    this.acknowledgements.push(acknowledgement);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return this.closes ? Promise.resolve() : new Promise(() => undefined);
  }

  publish(number: number): void {
    this.version = published(number);
  }

  hear(number: number): void {
    this.announce({ account, generation: generation(number), secret, publishedAt: '2026-01-01T00:00:00Z' });
  }

  #keys(): HeartbeatAnswer {
    return {
      leaseSeconds: 30,
      accounts: [{ account, name: 'speech-prod', generation: generation(this.current), secret }],
    };
  }
}

function published(number: number): ReadVersion {
  return { kind: 'published', generation: generation(number), key: `key of ${number}` };
}

export function followedBy(session: Session): FollowedAccount {
  const followed = session.accounts.get(account);
  if (followed === undefined) throw new Error('not followed');
  return followed;
}
