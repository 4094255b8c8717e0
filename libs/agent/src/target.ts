/** The key of one account, as it is to be put in place. */
export interface HeldKey {
  /** The account as it was asked for, by name or ARM id. */
  readonly account: string;
  readonly generation: number;
  /** What people may know the key by; undefined when its publication does not say so. */
  readonly fingerprint: string | undefined;
  /** A function, so that whoever prints this prints no key. */
  readonly key: () => string;
}

/** The current keys of all accounts of an agent, in the order in which they were asked for. */
export type Keys = readonly HeldKey[];

/** Where keys are put, and what uses them there. */
export interface Target {
  /** For people: `file /run/keys/speech`. */
  readonly where: string;
  /**
   * Resolves when these keys are in place and nobody there uses older ones. Rejects with a Refused when people have to
   * know why not. Called again with the same keys it goes on where things are. Never runs twice at a time.
   */
  place(keys: Keys, signal: AbortSignal): Promise<void>;
}

/** The keys are not in place. The reason is told to people, so it never holds a key. */
export class Refused extends Error {
  override readonly name = 'Refused';
  constructor(
    readonly reason: string,
    options: { cause?: unknown } = {},
  ) {
    super(reason, options);
  }
}

/** How keys are told apart without showing any: `speech-weu=5 language-weu=3`. */
export function generationsOf(keys: Keys): string {
  return keys.map(({ account, generation }) => `${nameOf(account)}=${generation}`).join(' ');
}

/** The last part of an ARM id; a name as it is. */
export function nameOf(account: string): string {
  return account.split('/').at(-1) ?? account;
}
