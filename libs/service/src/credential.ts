import { DefaultAzureCredential, type TokenCredential } from '@azure/identity';

/** The Entra identity of the service, from the environment of the process. Asks for nothing until it is used. */
export function serviceCredential({
  disableInstanceDiscovery,
}: {
  readonly disableInstanceDiscovery: boolean;
}): TokenCredential {
  return new DefaultAzureCredential({ disableInstanceDiscovery });
}
