import { ControlInvalid } from './control-invalid.js';

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

/** What a variable of an application's own may hold. */
const places = {
  'resource-manager': ({ origin }: Whereabouts) => origin,
  authority: ({ origin, tenantId }: Whereabouts) => `${origin}/${tenantId}`,
  'key-vault': ({ vaultUrl }: Whereabouts) => vaultUrl,
  'service-bus': ({ serviceBus }: Whereabouts) => `localhost:${serviceBus.port}`,
  'service-bus-connection-string': ({ serviceBus }: Whereabouts) => serviceBus.connectionString,
  'ca-file': ({ caFile }: Whereabouts) => caFile,
} as const;

export type Place = keyof typeof places;

/** Variables besides those of the SDKs: their names, and what each shall hold. */
export type ExtraVariables = Readonly<Record<string, Place>>;

/**
 * The environment in which a program finds the emulator instead of Azure, under the names that Azure's SDKs and tools
 * read, and under those that the caller adds: there are none for where Resource Manager and a vault are.
 */
export function environmentOf(at: Whereabouts, extra: ExtraVariables = {}): Readonly<Record<string, string>> {
  return {
    NODE_EXTRA_CA_CERTS: at.caFile,
    AZURE_AUTHORITY_HOST: at.origin,
    AZURE_TENANT_ID: at.tenantId,
    AZURE_CLIENT_ID: at.clientId,
    AZURE_CLIENT_SECRET: at.clientSecret,
    AZURE_SUBSCRIPTION_ID: at.subscriptionId,
    AZURE_TOKEN_CREDENTIALS: 'EnvironmentCredential',
    SERVICEBUS_CONNECTION_STRING: at.serviceBus.connectionString,
    ...Object.fromEntries(Object.entries(extra).map(([name, place]) => [name, places[place](at)])),
  };
}

/** A variable as `NAME=place`. Throws {@link ControlInvalid}. */
export function parseExtraVariable(text: string): readonly [name: string, place: Place] {
  const [, name, place] = /^([A-Za-z_]\w*)=(.*)$/s.exec(text) ?? [];
  const known = Object.keys(places).find((one): one is Place => one === place);
  if (name === undefined || known === undefined) {
    throw new ControlInvalid(
      `${text}: NAME=PLACE was expected, PLACE one of ${Object.keys(places).join(', ')}.`,
    );
  }
  return [name, known];
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
