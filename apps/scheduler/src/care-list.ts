// Who is to be under care and on which terms, as the file says it and before Azure was asked.
import type { Schedule } from '@twinkey/account';
import type { AccountId, ConsumerDeclaration, RotationPolicy } from '@twinkey/contracts';

export interface Policy {
  readonly terms: RotationPolicy;
  readonly schedule: Schedule;
}

/** The vault, and the secret's name unless it is derived from the account's. */
export interface SecretPlace {
  readonly vaultUrl: string;
  readonly name?: string | undefined;
}

export interface Entry {
  /** Its ARM id, or the name under which discovery must find it. */
  readonly account: { readonly id: AccountId } | { readonly name: string };
  readonly policy: Policy;
  readonly secret: SecretPlace;
}

export interface Discovery {
  readonly subscriptions: readonly string[];
  /** Accounts with this tag are under care although no entry names them. */
  readonly adopt: {
    readonly tag: string;
    readonly value: string;
    readonly policy: Policy;
    readonly secret: SecretPlace;
  } | null;
}

export interface DeclaredConsumer {
  readonly terms: Omit<ConsumerDeclaration, 'accounts'>;
  /** Its accounts as written: names or ARM ids. */
  readonly accounts: readonly string[];
}

export interface CareList {
  readonly entries: readonly Entry[];
  readonly discovery: Discovery | null;
  readonly consumers: readonly DeclaredConsumer[];
  readonly onlyDeclaredConsumers: boolean;
}
