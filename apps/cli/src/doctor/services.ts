// Who has to answer over HTTP: Resource Manager, for its clock too, the console and the notifier.
import { settingOf } from '@twinkey/settings';
import { judgeClock, skewOf } from './databases.js';
import type { Ground } from './examine.js';
import type { Finding } from './finding.js';
import { reasonOf } from './rights.js';
import { isGiven } from './settings.js';

/** Azure does not say when within a second it answered, and its tokens forgive minutes. */
const AZURE_CLOCK_TOLERATED_MS = 5_000;

export async function serviceFindings(ground: Ground): Promise<readonly Finding[]> {
  const { environment, services, console, notifier } = ground;
  const isNear = services.some((service) => service === 'scheduler' || service === 'rotator');
  return Promise.all([
    ...(isNear ? [azureClock(ground)] : []),
    answers(ground, 'console', console, isGiven(environment, 'TWINKEY_URL')),
    answers(ground, 'notifier', notifier, isGiven(environment, 'TWINKEY_NOTIFIER_URL')),
  ]);
}

async function azureClock({ environment, probes }: Ground): Promise<Finding> {
  const url = settingOf(environment, 'TWINKEY_RESOURCE_MANAGER_ENDPOINT') ?? '';
  const check = 'clock of Azure';
  try {
    const { clock } = await probes.answer(url);
    if (clock === undefined)
      return {
        about: 'installation',
        check,
        outcome: 'skipped',
        detail: `${url} does not say what time it is`,
      };
    return judgeClock('Azure', clock, Math.max(AZURE_CLOCK_TOLERATED_MS, skewOf(environment)));
  } catch (error) {
    return {
      about: 'installation',
      check,
      outcome: 'failed',
      detail: reasonOf(error).says,
      mend: `curl --head ${url}   # from here; a proxy or a firewall decides`,
    };
  }
}

/** A service whose address nobody told is not missed where it does not answer: it may be out of reach on purpose. */
async function answers(
  { probes }: Ground,
  service: 'console' | 'notifier',
  url: string,
  isTold: boolean,
): Promise<Finding> {
  const base = { about: service, check: `answers at ${url}` } as const;
  const mend = `kubectl --namespace twinkey rollout status deployment/${service}`;
  try {
    const { status } = await probes.answer(`${url}/health/ready`);
    if (status === 200) return { ...base, outcome: 'ok' };
    const detail = status === 503 ? 'it waits for something: /health/ready says what' : `HTTP ${status}`;
    return { ...base, outcome: 'failed', detail, mend };
  } catch (error) {
    const detail = reasonOf(error).says;
    if (isTold) return { ...base, outcome: 'failed', detail, mend };
    const variable = service === 'console' ? 'TWINKEY_URL' : 'TWINKEY_NOTIFIER_URL';
    return { ...base, outcome: 'skipped', detail: `${variable} does not say where it is (${detail})` };
  }
}
