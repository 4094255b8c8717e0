import type { TokenCredential } from '@azure/core-auth';
import { DefaultAzureCredential } from '@azure/identity';

/** Authorities that MSAL knows: for these the question "is this a real authority?" costs nothing and protects. */
const PUBLIC_AUTHORITY = /(^|\.)(microsoftonline\.(com|us|de)|chinacloudapi\.cn|windows\.net)$/i;

/**
 * The process's one credential; share it, since clients cache tokens but `getToken` itself is not coalesced.
 * `disableInstanceDiscovery` is for an authority that Microsoft's directory of authorities does not list.
 * Throws when it is asked for together with one that is listed.
 */
export function azureCredential(settings: { disableInstanceDiscovery: boolean }): TokenCredential {
  if (settings.disableInstanceDiscovery) refusePublicAuthority();
  return new DefaultAzureCredential({ disableInstanceDiscovery: settings.disableInstanceDiscovery });
}

function refusePublicAuthority(): void {
  const authority = process.env['AZURE_AUTHORITY_HOST'] ?? 'https://login.microsoftonline.com';
  if (!PUBLIC_AUTHORITY.test(hostOf(authority))) return;
  throw new Error(
    `disableInstanceDiscovery: not allowed with the public authority ${authority}. ` +
      'Leave it false, or point AZURE_AUTHORITY_HOST at your own authority.',
  );
}

function hostOf(authority: string): string {
  return new URL(authority.includes('://') ? authority : `https://${authority}`).hostname;
}
