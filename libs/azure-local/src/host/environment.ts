/** What a client needs to find the emulator; every value is a plain text. */
export interface Whereabouts {
  readonly caFile: string;
  readonly origin: string;
  readonly tenantId: string;
  readonly subscriptionId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly vaultUrl: string;
  readonly serviceBus: { readonly port: number; readonly connectionString: string };
}

/**
 * The environment in which a program finds the emulator instead of Azure. The `AZURE_*` names are those of the
 * SDKs; the rest are settings of the programs that this repository was made for.
 */
export function environmentOf(at: Whereabouts): Readonly<Record<string, string>> {
  return {
    NODE_EXTRA_CA_CERTS: at.caFile,
    AZURE_AUTHORITY_HOST: at.origin,
    AZURE_TENANT_ID: at.tenantId,
    AZURE_CLIENT_ID: at.clientId,
    AZURE_CLIENT_SECRET: at.clientSecret,
    AZURE_SUBSCRIPTION_ID: at.subscriptionId,
    AZURE_TOKEN_CREDENTIALS: 'EnvironmentCredential',
    TWINKEY_RESOURCE_MANAGER_ENDPOINT: at.origin,
    TWINKEY_KEY_VAULT_URL: at.vaultUrl,
    SERVICEBUS_CONNECTION_STRING: at.serviceBus.connectionString,
  };
}

/** Lines that dotenv readers and POSIX shells take alike. */
export function dotenv(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .map(
      ([name, value]) =>
        `${name}=${/^[\w./:@-]*$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`}\n`,
    )
    .join('');
}
