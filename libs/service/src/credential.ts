import { DefaultAzureCredential, type TokenCredential } from '@azure/identity';
import { DATABASE_TOKEN_SCOPE } from '@twinkey/settings';

/** The Entra identity of the service, from the environment of the process. Asks for nothing until it is used. */
export function serviceCredential({
  disableInstanceDiscovery,
}: {
  readonly disableInstanceDiscovery: boolean;
}): TokenCredential {
  return new DefaultAzureCredential({ disableInstanceDiscovery });
}

/** A password for PostgreSQL: a token of the identity. The credential keeps it while it is good, and asks for the next one in time. */
export function databasePassword(credential: TokenCredential): () => Promise<string> {
  return async () => {
    const granted = await credential.getToken(DATABASE_TOKEN_SCOPE);
    if (granted === null) throw new Error('The credential issued no token.');
    return granted.token;
  };
}
