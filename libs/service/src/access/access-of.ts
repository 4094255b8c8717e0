import { PUBLIC_AUTHORITY, type Environment } from '@twinkey/settings';
import type { Access } from '../create-app.js';
import { RequestBudget } from './request-budget.js';
import { tokenVerifier } from './token-verifier.js';

/** Without an audience nobody is asked for a token; readConfig has seen to it that only this machine can ask then. */
export function accessOf(
  {
    apiAudience,
    requestsPerSecond,
  }: { readonly apiAudience?: readonly string[] | undefined; readonly requestsPerSecond: number },
  environment: Environment,
): Access {
  if (apiAudience === undefined) return {};
  const authority = environment['AZURE_AUTHORITY_HOST'] ?? PUBLIC_AUTHORITY;
  const tenantId = environment['AZURE_TENANT_ID'] ?? '';
  return {
    audience: apiAudience[0],
    verify: tokenVerifier({ authority, tenantId, audiences: apiAudience }),
    budget: new RequestBudget(requestsPerSecond),
  };
}
