import {
  fileTarget,
  type KubernetesOptions,
  obstacleTo,
  Refused,
  runAgent,
  secretTarget,
  type Target,
} from '@twinkey/agent';
import { type AgentFlags, type AgentPlan, readAgentFlags } from '../agent-flags.js';
import { asAgentFailure } from '../agent-failure.js';
import { flagFailure } from '../flag-rules.js';
import { screenFor } from '../screen.js';
import type { GlobalOptions } from '../settings.js';

/** `twinkey agent`: runs until it is told to end. */
export async function agent(options: GlobalOptions, flags: AgentFlags): Promise<void> {
  const plan = readAgentFlags(flags);
  const target = await targetOf(plan);
  const screen = screenFor(options);
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      stopping.abort();
    });
  }
  try {
    await runAgent({
      consumer: plan.consumer,
      accounts: plan.accounts,
      target,
      goodbye: plan.goodbye,
      until: stopping.signal,
      tell: (line) => {
        screen.talk(`twinkey: ${line}`);
      },
      connection: { askAgainSeconds: plan.tryAgainMs / 1000 },
    });
  } catch (error) {
    throw asAgentFailure(error);
  }
}

async function targetOf({ place }: AgentPlan): Promise<Target> {
  if ('kubernetes' in place) return clusterTarget(place.kubernetes);
  const obstacle = await obstacleTo(place.file.out);
  if (obstacle === undefined) return fileTarget(place.file);
  throw flagFailure(
    `--out: ${obstacle}.`,
    'The file is replaced in one piece, so its folder has to be there.',
    'Make the folder, or name a file in another one.',
  );
}

async function clusterTarget(options: KubernetesOptions): Promise<Target> {
  try {
    return await secretTarget(options);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    throw flagFailure(
      `--kubernetes-secret: ${error.reason}.`,
      'The Secret is in a cluster.',
      'Set KUBECONFIG, or run the agent in a pod with a service account.',
    );
  }
}
