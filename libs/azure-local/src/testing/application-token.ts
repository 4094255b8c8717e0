import { ClientSecretCredential } from '@azure/identity';
import type { AzureLocal } from '../host/start.js';

/** An access token as the real SDK gets it for the application of that name; fails when there is none. */
export async function applicationToken(azure: AzureLocal, name: string, scope: string): Promise<string> {
  const application = azure.applications.find((one) => one.name === name);
  if (application === undefined) throw new Error(`there is no application ${name}`);
  const { tenantId, clientId, clientSecret } = application;
  const credential = new ClientSecretCredential(tenantId, clientId, clientSecret, {
    authorityHost: azure.endpoints.origin,
    disableInstanceDiscovery: true,
    tlsOptions: { ca: azure.ca },
  });
  return (await credential.getToken(scope)).token;
}
