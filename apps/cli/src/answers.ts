// What the CLI reads of the console's answers; docs/reference/openapi.json has them whole.

export interface Consumer {
  readonly consumer: string;
  readonly live: number;
  readonly acknowledged: number;
  readonly lapsed: number;
  /** How many live instances a declared consumer must have. */
  readonly minimum?: number;
  readonly escalated?: { readonly to: string; readonly since: string };
}

export interface ConsumerSummary {
  readonly consumer: string;
  readonly declared: {
    readonly source: 'file' | 'api';
    readonly by: string | null;
    readonly since: string;
    readonly owner: string;
    readonly accounts: readonly string[];
    readonly minimumInstances: number;
    readonly acknowledgeWithinSeconds: number | null;
    readonly onOverdue: string | null;
    readonly escalate: { readonly afterSeconds: number; readonly to: string } | null;
    readonly channel: {
      readonly kind: string;
      readonly name?: string;
      readonly url?: string;
      readonly signature?: string;
    };
    readonly problems: readonly string[];
  } | null;
  readonly accounts: readonly (Omit<Consumer, 'consumer'> & { readonly account: string })[];
}

export interface Keyless {
  readonly account: string;
  readonly accountId: string;
  readonly verdict: 'safe' | 'unsafe' | 'unknown';
  readonly reasons: readonly string[];
  readonly quietSeconds: number;
  readonly consumers: readonly {
    readonly consumer: string;
    readonly verdict: 'safe' | 'unsafe' | 'unknown';
    readonly reasons: readonly string[];
    readonly live: number;
    readonly used: {
      readonly key: number;
      readonly token: number;
      readonly entra: number;
      readonly bare: boolean;
    } | null;
    readonly shownAt: string | null;
    readonly lastSeenAt: string | null;
  }[];
}

export interface Account {
  readonly name: string;
  readonly account: string;
  readonly state: string;
  readonly rotation: string | null;
  readonly step: string | null;
  readonly published: {
    readonly slot: string;
    readonly generation: number;
    readonly fingerprint: string;
    readonly at: string;
  } | null;
  readonly keys: readonly { readonly slot: string; readonly fingerprint: string | null }[];
  readonly nextDueAt: string | null;
  readonly lastRotatedAt: string | null;
  readonly consumers: readonly Consumer[];
  readonly drift: {
    readonly kind: string;
    readonly detail: string;
    readonly at: string;
    readonly over: { readonly how: string; readonly at: string } | null;
  } | null;
  readonly withdrawn: { readonly at: string; readonly reason: string } | null;
}

export interface AccountDetail extends Account {
  readonly settings: {
    readonly kind: string;
    readonly location: string;
    readonly endpoint: string;
    readonly secret: { readonly vaultUrl: string; readonly name: string };
    readonly policy: {
      readonly name: string;
      readonly intervalSeconds: number;
      readonly acknowledgeWithinSeconds: number;
      readonly onOverdue: string;
    };
  } | null;
  readonly rotations: readonly Rotation[];
}

export interface Rotation {
  readonly id: string;
  readonly account: string;
  readonly scope: string;
  readonly slot: string | null;
  readonly state: string;
  readonly by: string | null;
  readonly reason: string | null;
  readonly requestedAt: string;
  readonly step: string | null;
  readonly steps: readonly {
    readonly step: string;
    readonly state: string;
    readonly seconds: number | null;
  }[];
  readonly waiting: {
    readonly for: string;
    readonly detail: string;
    readonly since: string;
    readonly until: string | null;
  } | null;
  readonly halt: {
    readonly at: string;
    readonly step: string | null;
    readonly reason: string;
    readonly detail: string;
    readonly remedy: string;
    readonly goesOn: {
      readonly step: string | null;
      readonly next: string;
      readonly safe: boolean;
      readonly because: string;
    } | null;
  } | null;
  readonly refusal: { readonly code: string; readonly detail: string } | null;
  readonly waived: readonly string[];
  readonly completedAt: string | null;
  readonly seconds: number | null;
  readonly keysReplaced: number | null;
}

export interface RotationEvent {
  readonly position: number;
  readonly account: string;
  readonly rotation: string | null;
  readonly at: string;
  readonly event: string;
  readonly what: Readonly<Record<string, unknown>>;
}

export interface RotationDetail extends Rotation {
  readonly events: readonly RotationEvent[];
}

export interface Explanation {
  readonly rotation: string;
  readonly account: string;
  readonly state: string;
  readonly waitsFor: string;
  readonly since: string;
  readonly ifNobodyActs: string;
  readonly youCan: readonly { readonly command: string; readonly effect: string }[];
}

export interface Status {
  readonly at: string;
  readonly accounts: Readonly<
    Record<'total' | 'healthy' | 'due' | 'rotating' | 'waiting' | 'halted', number>
  >;
  readonly attention: readonly {
    readonly account: string;
    readonly rotation: string | null;
    readonly state: string;
    readonly step: string | null;
    readonly since: string;
    readonly detail: string;
    readonly until: string | null;
    readonly remedy: string | null;
  }[];
  readonly services: readonly {
    readonly service: string;
    readonly alive: boolean | null;
    readonly lastSeenAt: string | null;
  }[];
}

export interface Asked {
  readonly rotation: string;
  readonly account: string;
  readonly command: string;
  readonly after: number;
}

export interface DeadLetter {
  readonly entity: string;
  readonly sequenceNumber: string;
  readonly id: string;
  readonly account: string | null;
  readonly type: string | null;
  readonly reason: string | null;
  readonly description: string | null;
  readonly deliveryCount: number;
  readonly enqueuedAt: string;
}

export interface DeadLettersReplayed {
  readonly entity: string;
  readonly messages: readonly {
    readonly sequenceNumber: string;
    readonly id: string;
    readonly outcome: string;
  }[];
}
