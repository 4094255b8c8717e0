// What a witness outside of twinkey writes down, one line of JSON each, in the order in which it happened. Keys appear
// as fingerprints only.

/** Both keys of an account, whenever its record was written or read again after a start. */
export interface KeysFact {
  readonly fact: 'keys';
  readonly account: string;
  readonly key1: string;
  readonly key2: string;
}

/** A version of a secret as it is now: written, or changed. */
export interface VersionFact {
  readonly fact: 'version';
  readonly secret: string;
  readonly version: string;
  /** Fingerprint of its value. */
  readonly key: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly enabled: boolean;
}

/** Which version whoever reads the secret gets from now on. */
export interface CurrentFact {
  readonly fact: 'current';
  readonly secret: string;
  readonly version: string;
}

/** A call of the data plane with a key has arrived. */
export interface CallFact {
  readonly fact: 'call';
  readonly id: string;
  readonly account: string;
  readonly key: string;
  /** The first word of the User-Agent. */
  readonly caller: string;
}

/** A request to regenerate a key has arrived. */
export interface AskedFact {
  readonly fact: 'asked';
  readonly id: string;
  readonly account: string;
  readonly slot: 'key1' | 'key2';
}

/** The answer to a call or a request; `cut`: the connection ended without one. */
export interface AnswerFact {
  readonly fact: 'answer';
  readonly id: string;
  readonly status: number | 'cut';
}

/** Something was killed, stopped, cut or planted by the test. */
export interface InterruptionFact {
  readonly fact: 'interruption';
  readonly what: string;
}

export type Fact = { /** Milliseconds since 1970. */ readonly at: number } & (
  KeysFact | VersionFact | CurrentFact | CallFact | AskedFact | AnswerFact | InterruptionFact
);
