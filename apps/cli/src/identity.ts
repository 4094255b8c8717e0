// Who the person at the terminal is, for a console that asks: whatever `az login`, a workload or a managed identity says.
import { EXIT } from './exit-codes.js';
import { Failure } from './failure.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** The token is asked for when the first request needs it, and kept for the rest of the command. */
export function authorizer(env: Environment): (() => Promise<string>) | undefined {
  const audience = env['TWINKEY_API_AUDIENCE']?.split(',')[0]?.trim().replace(/\/+$/, '');
  if (audience === undefined || audience === '') return undefined;
  let token: Promise<string> | undefined;
  return () => (token ??= tokenFor(audience, env));
}

async function tokenFor(audience: string, env: Environment): Promise<string> {
  // Loading it costs as much time as all the rest of a command: only where somebody asks.
  const { DefaultAzureCredential } = await import('@azure/identity');
  const disableInstanceDiscovery = env['TWINKEY_DISABLE_INSTANCE_DISCOVERY'] === 'true';
  try {
    const credential = new DefaultAzureCredential({ disableInstanceDiscovery });
    return (await credential.getToken(`${audience}/.default`)).token;
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
