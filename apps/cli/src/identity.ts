// Who the person at the terminal is, for a console that asks: whatever `az login`, a workload or a managed identity says.
import type { TokenCredential } from '@azure/identity';
import { EXIT } from './exit-codes.js';
import { Failure } from './failure.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** The identity is found when the first request needs it; it keeps its token, and gets another when a watch outlives it. */
export function authorizer(env: Environment): (() => Promise<string>) | undefined {
  const audience = env['TWINKEY_API_AUDIENCE']?.split(',')[0]?.trim().replace(/\/+$/, '');
  if (audience === undefined || audience === '') return undefined;
  let identity: Promise<TokenCredential> | undefined;
  return async () => tokenFor(audience, await (identity ??= findIdentity(env)));
}

async function findIdentity(env: Environment): Promise<TokenCredential> {
  // Loading it costs as much time as all the rest of a command: only where somebody asks.
  const { DefaultAzureCredential } = await import('@azure/identity');
  const disableInstanceDiscovery = env['TWINKEY_DISABLE_INSTANCE_DISCOVERY'] === 'true';
  return new DefaultAzureCredential({ disableInstanceDiscovery });
}

async function tokenFor(audience: string, identity: TokenCredential): Promise<string> {
  try {
    const granted = await identity.getToken(`${audience}/.default`);
    if (granted === null) throw new Error('No token was issued.');
    return granted.token;
  } catch (cause) {
    throw new Failure(
      EXIT.auth,
      {
        what: `Entra gives you no token for ${audience} (TWINKEY_API_AUDIENCE).`,
        why: (cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? '',
        state: 'Nothing was asked of the console.',
        remedy: `Sign in: az login --scope ${audience}/.default; or set the variables of a workload identity.`,
      },
      { cause },
    );
  }
}
