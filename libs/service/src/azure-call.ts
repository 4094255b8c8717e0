import { isPermanentFault, isTransientFault } from '@twinkey/contracts';
import type { LabelsOf } from './metrics/catalogue.js';
import type { Metrics } from './metrics/metrics.js';
import { span } from './traces/span.js';

type Labels = LabelsOf<'twinkey_azure_calls_total'>;

/** Which call of Azure is made; nothing of what is asked or answered. */
export type AzureOperation = Pick<Labels, 'azure' | 'operation'>;

/** Makes a call to Azure and notes how long it took and how it ended. Its answer and its faults pass untouched. */
export async function azureCall<Answer>(
  metrics: Metrics,
  what: AzureOperation,
  call: () => Promise<Answer>,
): Promise<Answer> {
  const from = performance.now();
  let outcome = 'done';
  try {
    const { azure, operation } = what;
    const answer = await span(`${azure} ${operation}`, { kind: 'client' }, {}, call);
    outcome = outcomeIn(answer);
    return answer;
  } catch (error) {
    outcome = outcomeOf(error);
    throw error;
  } finally {
    metrics.observe('twinkey_azure_call_seconds', what, (performance.now() - from) / 1_000);
    metrics.count('twinkey_azure_calls_total', { ...what, outcome });
  }
}

/** Calls that change something do not throw: their answer says how they ended. */
function outcomeIn(answer: unknown): string {
  if (typeof answer !== 'object' || answer === null || !('outcome' in answer)) return 'done';
  if (answer.outcome === 'refused' && 'fault' in answer) return outcomeOf(answer.fault);
  return typeof answer.outcome === 'string' ? answer.outcome : 'done';
}

function outcomeOf(fault: unknown): string {
  if (isPermanentFault(fault)) return 'refused';
  return isTransientFault(fault) && fault.code === 'throttled' ? 'throttled' : 'failed';
}
