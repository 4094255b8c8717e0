import { aborted, type Clock, REAL_CLOCK } from '../clock.js';
import type { Names } from '../file/format.js';
import { type Keys, Refused, type Target } from '../target.js';
import { type Cluster, Conflict, Unavailable } from './cluster.js';
import { markOf } from './mark.js';
import { type Mark, olderPods, type Rollout, rolloutOf, type WorkloadRef } from './rollout.js';
import { nextSecretStep } from './secret.js';

export interface KubernetesOptions {
  readonly namespace: string;
  readonly secret: string;
  /** The entry of the Secret for the key of each account. */
  readonly names: Names;
  /** What is restarted so that it uses the new keys, in the namespace of the Secret. */
  readonly workloads: readonly WorkloadRef[];
  /** How long a rollout may take before people are told. */
  readonly rolloutWithinMs: number;
  /** How long an older key may be in use after all that, or after the Secret was written when nothing is restarted. */
  readonly drainMs: number;
}

const TRY_AGAIN_MS = 1_000;
/** Then people are told, and it goes on. */
const PATIENCE_MS = 60_000;
/** A rollout changes several things at once; and a watch that ends at once must not be one request after the other. */
const NEWS_COME_TOGETHER_MS = 200;
/** Nobody tells when a pod has ended. */
const LOOK_AT_PODS_MS = 2_000;

/** A Secret, and workloads that read it when they start. */
export function kubernetesTarget(
  options: KubernetesOptions,
  cluster: Cluster,
  clock: Clock = REAL_CLOCK,
): Target {
  const { namespace, secret, workloads, drainMs, rolloutWithinMs } = options;
  return {
    where: [`Secret ${namespace}/${secret}`, ...workloads.map(spelled)].join(', '),
    async place(keys, signal) {
      const work: Work = { options, cluster, clock, signal, giveUpAt: clock.now() + rolloutWithinMs };
      const mark = markOf(secret, keys);
      await patiently(work, () => writeSecret(work, keys));
      for (const workload of workloads) await patiently(work, () => restartOnce(work, workload, mark));
      for (const workload of workloads) await untilRolledOut(work, workload, mark);
      if (drainMs > 0) await clock.wait(drainMs, signal);
    },
  };
}

interface Work {
  readonly options: KubernetesOptions;
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly giveUpAt: number;
}

const spelled = ({ kind, name }: WorkloadRef): string => `${kind}/${name}`;

async function writeSecret({ options, cluster, signal }: Work, keys: Keys): Promise<void> {
  const { secret, names } = options;
  const step = nextSecretStep(await cluster.readSecret(secret, signal), secret, keys, names);
  switch (step.do) {
    case 'create':
      await cluster.createSecret(step.body, signal);
      return;
    case 'patch':
      await cluster.patchSecret(secret, step.body, signal);
      return;
    case 'refuse':
      throw new Refused(step.reason);
    case 'keep':
      return;
  }
}

/** A workload that is marked already was restarted by whoever began with these keys. */
async function restartOnce({ cluster, signal }: Work, workload: WorkloadRef, mark: Mark): Promise<void> {
  const { state } = rolloutOf(await cluster.readWorkload(workload, signal), mark);
  if (state === 'to-restart') await cluster.restart(workload, mark, signal);
}

async function untilRolledOut(work: Work, ref: WorkloadRef, mark: Mark): Promise<void> {
  const { cluster, clock, signal, giveUpAt } = work;
  const isOver = (): boolean => signal.aborted;
  while (!isOver()) {
    const look = await patiently(work, async () => {
      const workload = await cluster.readWorkload(ref, signal);
      const rollout = rolloutOf(workload, mark);
      if (rollout.state !== 'complete') return { workload, rollout, pods: [] };
      return { workload, rollout, pods: olderPods(await cluster.podsOf(workload, signal), ref, mark) };
    });
    if (look === undefined) return; // over
    const { workload, rollout, pods } = look;
    if (rollout.state === 'complete' && pods.length === 0) return;
    const waitsFor = awaited(ref, rollout, pods);
    if (clock.now() >= giveUpAt)
      throw new Refused(`${spelled(ref)}: not rolled out in time: waits for ${waitsFor}`);
    if (rollout.state === 'complete') await clock.wait(LOOK_AT_PODS_MS, signal);
    else await untilNews(work, ref, workload);
  }
}

/** What is waited for. A Refused when that is in vain. */
function awaited(ref: WorkloadRef, rollout: Rollout, pods: readonly string[]): string {
  switch (rollout.state) {
    case 'stuck':
      throw new Refused(`${spelled(ref)}: ${rollout.reason}`);
    case 'to-restart':
      throw new Refused(`${spelled(ref)}: somebody else took the mark of its pods away or set another one`);
    case 'under-way':
      return rollout.waitsFor;
    case 'complete':
      return `older pods to end: ${pods.join(', ')}`;
  }
}

/** No longer than there is time: a deployment that is stuck changes no more. */
async function untilNews(
  { cluster, clock, signal, giveUpAt }: Work,
  ref: WorkloadRef,
  workload: Parameters<Cluster['changed']>[1],
): Promise<void> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const late = clock.wait(Math.max(0, giveUpAt - clock.now()), either);
  const news = cluster.changed(ref, workload, either);
  try {
    await Promise.race([news, late]);
    await clock.wait(NEWS_COME_TOGETHER_MS, signal);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    await clock.wait(TRY_AGAIN_MS, signal); // then the workload is read anew
  } finally {
    over.abort();
    void news.catch(() => undefined);
  }
}

/** Conflicts and silences are tried again while there is time. Undefined: it is over. */
async function patiently<Result>(work: Work, act: () => Promise<Result>): Promise<Result | undefined> {
  const { clock, signal } = work;
  const isOver = (): boolean => signal.aborted;
  const giveUpAt = Math.min(work.giveUpAt, clock.now() + PATIENCE_MS);
  while (!isOver()) {
    try {
      return await act();
    } catch (error) {
      if (isOver()) break;
      if (!(error instanceof Conflict || error instanceof Unavailable)) throw error;
      if (clock.now() >= giveUpAt) {
        throw new Refused(
          error instanceof Conflict
            ? `somebody else changes it all the time: ${error.message}`
            : error.message,
        );
      }
      await Promise.race([clock.wait(TRY_AGAIN_MS, signal), aborted(signal)]);
    }
  }
  return undefined;
}
