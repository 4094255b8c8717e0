import { retention, type Deletion, type SecretVersion } from './state.js';

/** The vault's promise about deleted secrets, said of every version. */
export interface Recovery {
  readonly recoveryLevel: string;
  readonly recoverableDays: number;
}

/** Purge protection is not emulated, so every level is a purgeable one. */
export function recoveryOf(retentionDays: number): Recovery {
  const isCustom = retentionDays < retention.longestDays;
  return {
    recoveryLevel: isCustom ? 'CustomizedRecoverable+Purgeable' : 'Recoverable+Purgeable',
    recoverableDays: retentionDays,
  };
}

/** Secrets as clients see them, for one spelling of the vault's address. */
export class Representation {
  constructor(
    private readonly origin: string,
    private readonly recovery: Recovery,
  ) {}

  id(name: string, version?: string): string {
    return `${this.origin}/secrets/${name}${version === undefined ? '' : `/${version}`}`;
  }

  bundle(name: string, version: SecretVersion): Readonly<Record<string, unknown>> {
    return { value: version.value, ...this.properties(version, this.id(name, version.id)) };
  }

  /** Properties without the value; lists carry the id without the version. */
  properties(version: SecretVersion, id: string): Readonly<Record<string, unknown>> {
    return {
      ...(version.contentType === undefined ? {} : { contentType: version.contentType }),
      id,
      attributes: {
        enabled: version.enabled,
        ...(version.notBefore === undefined ? {} : { nbf: version.notBefore }),
        ...(version.expires === undefined ? {} : { exp: version.expires }),
        created: version.created,
        updated: version.updated,
        ...this.recovery,
      },
      ...(version.tags === undefined ? {} : { tags: version.tags }),
    };
  }

  deletion(name: string, { at, purgeAt }: Deletion): Readonly<Record<string, unknown>> {
    return {
      recoveryId: `${this.origin}/deletedsecrets/${name}`,
      deletedDate: at,
      scheduledPurgeDate: purgeAt,
    };
  }
}
