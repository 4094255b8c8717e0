import {
  type AccountId,
  generation,
  type Generation,
  type HeartbeatRequest,
  type SecretReference,
} from '@twinkey/contracts';
import { type BeforeSwitch, Consent, type Refusal } from './consent.js';
import { type Followed, hear, install, isBehind, judge } from './follow.js';
import { KeyHolder } from './key-holder.js';
import { type AfterSwitch, Placing } from './placing.js';
import { backoffMs, type Timing } from './timing.js';
import { TokenDeaths } from './token-deaths.js';
import { isUnused, Usage, type Used } from './usage.js';
import type { ReadVersion, Vault } from './vault-reader.js';

/** Re-reads that refused calls ask for are at least this far apart. */
const REFUSED_REREAD_GAP_MS = 250;
const READ_AGAIN_CEILING_MS = 5_000;
const CONFIRM_WITHIN_MS = 2_000;
/** Calls that find their key unconfirmed look at most so often: what the last of them found is all there is. */
const CONFIRM_GAP_MS = 1_000;

export interface AccountPorts {
  readonly vault: Vault;
  readonly timing: Timing;
  readonly closing: AbortSignal;
  readonly switched: (account: FollowedAccount, previous: Generation) => void;
  readonly failed: (error: Error) => void;
  /** Asked before a newer key is used; absent: it is used at once. */
  readonly beforeSwitch?: {
    readonly hook: BeforeSwitch;
    readonly withinMs: number;
    readonly askAgainMs: number;
    readonly refused: (account: FollowedAccount, refusal: Refusal) => void;
    /** The notifier answers, so it waits for this instance. Else a refusal would keep nobody from replacing the key. */
    readonly isAwaited: () => boolean;
  };
  /** Puts each key in place before it is acknowledged; absent: it is in place when this process has it. */
  readonly afterSwitch?: {
    readonly hook: AfterSwitch;
    readonly againMs: number;
    readonly refused: (account: FollowedAccount, refusal: Refusal) => void;
  };
}

/**
 * One account and this instance's way along its generations. Following: up to date ──hear a higher one──► behind
 * ──read a version that will do, and the application agrees──► up to date. `#install` is the only place where a generation is installed.
 */
export class FollowedAccount {
  readonly holder: KeyHolder;
  readonly usage = new Usage();
  readonly tokenDeaths = new TokenDeaths();
  /** Resolves with the first key. */
  readonly ready: Promise<void>;
  /** What the notifier was or will be told; undefined until the first key is in use everywhere. */
  acknowledged: { readonly generation: Generation; readonly drainedAt?: string } | undefined;
  /** When the current key was last known to be current, in milliseconds since 1970. */
  confirmedAt = -Infinity;
  /** How long a key may be used after it was confirmed. The notifier says so, and counts on it for silent instances. */
  rereadMs = Infinity;
  /** The last thing that went wrong on the way to a key. */
  trouble: Error | undefined;

  readonly #ports: AccountPorts;
  #followed: Followed = { installed: generation(0), minimum: generation(0) };
  #secret: SecretReference;
  #readAt = -Infinity;
  #askedAt = -Infinity;
  #foundAt = -Infinity;
  #catchingUp: Promise<void> | undefined;
  #rereading: Promise<void> | undefined;
  readonly #consent: Consent | undefined;
  readonly #placing: Placing | undefined;
  /** Calls that were refused and look for a newer key just now: it is used without asking. */
  #refusedCalls = 0;
  #becomeReady: () => void = () => undefined;

  constructor(
    readonly id: AccountId,
    readonly name: string,
    secret: SecretReference,
    ports: AccountPorts,
  ) {
    this.#secret = secret;
    this.#ports = ports;
    this.holder = new KeyHolder(name);
    this.ready = new Promise((resolve) => {
      this.#becomeReady = resolve;
    });
    const { beforeSwitch, afterSwitch, timing, closing, failed } = ports;
    const common = { account: id, name, timing, closing, failed };
    if (beforeSwitch !== undefined) {
      const refused = (refusal: Refusal): void => {
        beforeSwitch.refused(this, refusal);
      };
      this.#consent = new Consent({ ...beforeSwitch, ...common, refused });
    }
    if (afterSwitch !== undefined) {
      const refused = (refusal: Refusal): void => {
        afterSwitch.refused(this, refusal);
      };
      const handOut = (): void => void this.holder.handOut();
      this.#placing = new Placing({ ...afterSwitch, ...common, handOut, refused });
    }
  }

  get used(): Used {
    return this.usage.used(this.holder.isUnseen);
  }

  get generation(): Generation {
    return this.#followed.installed;
  }

  /** A generation is published, or will be: a key is being waited for. */
  get isExpected(): boolean {
    return this.#followed.minimum > 0;
  }

  /** Somebody named the current generation. */
  heard({ generation: named, secret }: { generation: Generation; secret: SecretReference }): void {
    const before = this.#followed;
    this.#followed = hear(before, named);
    if (named >= before.minimum) this.#secret = secret;
    this.#consent?.heard(named);
    if (isBehind(this.#followed)) void this.#catchUp();
  }

  /**
   * An answer to what was asked at `askedAt` named it: good enough while the notifier answers, unless it named a newer
   * one; even then while the application holds on to the older: whoever answers also waits.
   */
  confirmed(askedAt: number): void {
    if (!isBehind(this.#followed) || this.#consent?.isHolding === true) this.confirmedAt = askedAt;
  }

  /**
   * The notifier is silent: from here on only reading counts. Its last answer may have been older than a publication
   * of which it had not heard yet.
   */
  unconfirmed(): void {
    this.confirmedAt = this.#foundAt;
    this.#consent?.overrule();
  }

  /** Reads Key Vault once, together with whoever asks at the same time. Reports failures, never throws them. */
  reread(): Promise<void> {
    this.#rereading ??= this.#readOnce().finally(() => {
      this.#rereading = undefined;
    });
    return this.#rereading;
  }

  /**
   * Before a call: a process that was frozen or starved must not use a key that others take for out of use by now, so
   * it looks once more. Undefined: the key is confirmed, or one looked a moment ago. A vault that does not answer in time,
   * or shows no publication, does not keep anyone from calling: the last key is the best there is.
   */
  confirm(): Promise<void> | undefined {
    const { timing, closing } = this.#ports;
    if (timing.now() - this.confirmedAt < this.rereadMs || this.generation === 0) return undefined;
    if (timing.now() - this.#askedAt < CONFIRM_GAP_MS && this.#rereading === undefined) return undefined;
    return Promise.race([this.#lookAnew(timing.now()), timing.wait(CONFIRM_WITHIN_MS, closing)]);
  }

  /** A reading that was under way when the process was frozen says nothing about what is current since. */
  async #lookAnew(since: number): Promise<void> {
    await this.reread();
    if (this.#askedAt < since) await this.reread();
  }

  /** A key was refused: is there a newer one? */
  async findNewer(than: Generation): Promise<boolean> {
    const { timing, closing } = this.#ports;
    const early = this.#readAt + REFUSED_REREAD_GAP_MS - timing.now();
    if (early > 0 && this.#rereading === undefined) await timing.wait(early, closing);
    if (this.generation > than) return true;
    // The key in use is dead, as far as anybody can tell: an application that holds on to it is not asked.
    this.#consent?.overrule();
    this.#refusedCalls += 1;
    try {
      await this.reread();
    } finally {
      this.#refusedCalls -= 1;
    }
    return this.generation > than;
  }

  /** What a heartbeat says about this account. */
  standing(): HeartbeatRequest['accounts'][number] {
    const { used } = this;
    const refusal = this.#consent?.refusal ?? this.#placing?.refusal;
    return {
      account: this.id,
      generation: generation(0),
      ...this.acknowledged,
      ...(isUnused(used) ? {} : { used }),
      ...(refusal === undefined
        ? {}
        : { refusal: { generation: refusal.generation, reason: refusal.reason } }),
    };
  }

  /** True when the key in use here is in use wherever the application puts it; false when a newer one or the end came first. */
  inPlace(previous: Generation): Promise<boolean> {
    const { current } = this.holder;
    if (this.#placing === undefined) return Promise.resolve(true);
    return current === undefined ? Promise.resolve(false) : this.#placing.place(current, previous);
  }

  async #catchUp(): Promise<void> {
    this.#catchingUp ??= this.#untilCaughtUp();
    await this.#catchingUp;
  }

  async #untilCaughtUp(): Promise<void> {
    const { timing, closing } = this.#ports;
    for (let attempt = 0; isBehind(this.#followed) && !closing.aborted; attempt += 1) {
      if (attempt > 0) await this.#pause(backoffMs(attempt - 1, READ_AGAIN_CEILING_MS, timing));
      if (isBehind(this.#followed)) await this.reread();
    }
    // In the same breath as the last look at the condition: whoever hears more from here on starts anew.
    this.#catchingUp = undefined;
  }

  async #pause(ms: number): Promise<void> {
    const { timing, closing } = this.#ports;
    if (this.#consent?.isHolding === true) await this.#consent.over();
    else await timing.wait(ms, closing);
  }

  async #readOnce(): Promise<void> {
    const { vault, timing, failed } = this.#ports;
    const askedAt = timing.now();
    this.#askedAt = askedAt;
    try {
      const version = await vault.read(this.id, this.#secret);
      this.#readAt = timing.now();
      this.#take(version, askedAt);
    } catch (error) {
      this.#readAt = timing.now();
      const trouble = error instanceof Error ? error : new Error(String(error));
      const isNews = this.trouble?.message !== trouble.message;
      this.trouble = trouble;
      if (isNews) failed(trouble);
    }
  }

  #take(version: ReadVersion, askedAt: number): void {
    const verdict = judge(this.#followed, version);
    if (verdict === 'read-again') {
      this.trouble = new Error(`${this.name}: ${whyNot(version, this.#followed)}`);
      return;
    }
    this.trouble = undefined;
    if (verdict === 'keep' || version.kind !== 'published') {
      // What somebody wrote by hand, or a disabled version, says nothing about which generation is current.
      if (version.kind === 'published') this.#confirm(askedAt);
      return;
    }
    if (this.#consent === undefined || !this.#mayKeep()) {
      this.#install(version, askedAt);
      return;
    }
    this.#consent.ask(version.generation, this.generation, () => {
      // Much may have been heard while the application thought about it.
      if (judge(this.#followed, version) === 'install') this.#install(version, askedAt);
    });
  }

  /** There is an older key, and somebody waits with its end until this instance has moved. */
  #mayKeep(): boolean {
    const isAwaited = this.#ports.beforeSwitch?.isAwaited() ?? false;
    return this.generation > 0 && isAwaited && this.#refusedCalls === 0;
  }

  #install(version: Extract<ReadVersion, { kind: 'published' }>, askedAt: number): void {
    const previous = this.generation;
    this.#followed = install(this.#followed, version.generation);
    this.holder.install(version);
    this.#confirm(askedAt);
    this.#consent?.moot();
    this.#becomeReady();
    this.#ports.switched(this, previous);
  }

  #confirm(askedAt: number): void {
    this.#foundAt = askedAt;
    this.confirmedAt = askedAt;
  }
}

function whyNot(version: ReadVersion, { minimum }: Followed): string {
  switch (version.kind) {
    case 'published':
      return `Key Vault shows generation ${version.generation}, ${minimum} is announced`;
    case 'foreign':
      return 'the current secret version was not published by twinkey';
    case 'unreadable':
      return `the secret is ${version.why}`;
  }
}
