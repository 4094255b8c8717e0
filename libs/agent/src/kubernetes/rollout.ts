// Whether a workload's pods have all been replaced by ones that know the wanted keys. Pure.
//
//   to-restart ──the template says which keys──► under-way ──► complete
//                                                  │  ▲
//                                                  └──┴─ stuck: only people help
import type { V1DaemonSet, V1Deployment, V1Pod, V1StatefulSet } from '@kubernetes/client-node';

export const KINDS = ['deployment', 'statefulset', 'daemonset'] as const;
export type Kind = (typeof KINDS)[number];

export interface WorkloadRef {
  readonly kind: Kind;
  readonly name: string;
}

export type Workload =
  | { readonly kind: 'deployment'; readonly object: V1Deployment }
  | { readonly kind: 'statefulset'; readonly object: V1StatefulSet }
  | { readonly kind: 'daemonset'; readonly object: V1DaemonSet };

/** The annotation of pods that says which keys they were made for. */
export interface Mark {
  readonly annotation: string;
  readonly value: string;
}

export type Rollout =
  | { readonly state: 'to-restart' }
  | { readonly state: 'under-way'; readonly waitsFor: string }
  | { readonly state: 'stuck'; readonly reason: string }
  | { readonly state: 'complete' };

/** What its controller says. Pods that are still ending are not part of it: see {@link olderPods}. */
export function rolloutOf(workload: Workload, mark: Mark): Rollout {
  const { metadata, spec, status } = workload.object;
  if (spec?.template.metadata?.annotations?.[mark.annotation] !== mark.value) return { state: 'to-restart' };
  if (workload.kind === 'deployment' && workload.object.spec?.paused === true)
    return { state: 'stuck', reason: 'it is paused; resume it' };
  if ((status?.observedGeneration ?? 0) < (metadata?.generation ?? 0))
    return { state: 'under-way', waitsFor: 'its controller to see the change' };
  switch (workload.kind) {
    case 'deployment':
      return ofDeployment(workload.object);
    case 'statefulset':
      return ofStatefulSet(workload.object);
    case 'daemonset':
      return ofDaemonSet(workload.object);
  }
}

function ofDeployment({ spec, status = {} }: V1Deployment): Rollout {
  const { conditions = [], updatedReplicas = 0, replicas = 0, availableReplicas = 0 } = status;
  const progressing = conditions.find(({ type }) => type === 'Progressing');
  if (progressing?.reason === 'ProgressDeadlineExceeded') {
    const failure = conditions.find(
      ({ type, status: holds }) => type === 'ReplicaFailure' && holds === 'True',
    );
    const why = failure?.reason === undefined ? '' : ` (${failure.reason})`;
    return { state: 'stuck', reason: `its rollout exceeded the progress deadline${why}` };
  }
  const wanted = spec?.replicas ?? 1;
  if (updatedReplicas < wanted) return made(updatedReplicas, wanted);
  if (replicas > updatedReplicas) return older(replicas - updatedReplicas);
  return available(availableReplicas, updatedReplicas);
}

function ofStatefulSet({ spec, status }: V1StatefulSet): Rollout {
  const wanted = spec?.replicas ?? 1;
  const updated = status?.updatedReplicas ?? 0;
  const isCurrent = status?.updateRevision === undefined || status.updateRevision === status.currentRevision;
  const { type, rollingUpdate } = spec?.updateStrategy ?? {};
  const partition = rollingUpdate?.partition ?? 0;
  if (updated < wanted && !isCurrent) {
    if (type === 'OnDelete') return BY_HAND;
    if (updated >= wanted - partition)
      return { state: 'stuck', reason: `its partition ${partition} keeps pods as they are; set it to 0` };
    return made(updated, wanted);
  }
  const ready = available(status?.availableReplicas ?? status?.readyReplicas ?? 0, wanted);
  if (ready.state !== 'complete' || isCurrent || type === 'OnDelete') return ready;
  return { state: 'under-way', waitsFor: 'its controller to finish the revision' };
}

function ofDaemonSet({ spec, status }: V1DaemonSet): Rollout {
  const wanted = status?.desiredNumberScheduled ?? 0;
  const updated = status?.updatedNumberScheduled ?? 0;
  if (updated < wanted) return spec?.updateStrategy?.type === 'OnDelete' ? BY_HAND : made(updated, wanted);
  return available(status?.numberAvailable ?? 0, wanted);
}

const BY_HAND: Rollout = {
  state: 'stuck',
  reason: 'its update strategy is OnDelete; delete the pods that it has',
};

const made = (some: number, all: number): Rollout => ({
  state: 'under-way',
  waitsFor: `${some} of ${all} pods are new`,
});

const older = (some: number): Rollout => ({ state: 'under-way', waitsFor: `${some} older pods to end` });

const available = (some: number, all: number): Rollout =>
  some < all
    ? { state: 'under-way', waitsFor: `${some} of ${all} new pods to be available` }
    : { state: 'complete' };

/**
 * The names of its pods that were made for other keys and have not ended. Controllers do not count pods that are told to
 * end, but these go on with the older key until they have.
 */
export function olderPods(
  pods: readonly V1Pod[],
  { kind, name }: WorkloadRef,
  mark: Mark,
): readonly string[] {
  return pods
    .filter((pod) => isOf(pod, kind, name))
    .filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed')
    .filter(({ metadata }) => metadata?.annotations?.[mark.annotation] !== mark.value)
    .map(({ metadata }) => metadata?.name ?? 'a pod without a name');
}

/** Selectors of different workloads may meet; owners do not. A pod of a deployment belongs to one of its replica sets. */
function isOf({ metadata }: V1Pod, kind: Kind, name: string): boolean {
  const owner = metadata?.ownerReferences?.find(({ controller }) => controller === true);
  if (owner === undefined) return false;
  switch (kind) {
    case 'deployment':
      return (
        owner.kind === 'ReplicaSet' &&
        /^[a-z0-9]+$/.test(owner.name.slice(`${name}-`.length)) &&
        owner.name.startsWith(`${name}-`)
      );
    case 'statefulset':
      return owner.kind === 'StatefulSet' && owner.name === name;
    case 'daemonset':
      return owner.kind === 'DaemonSet' && owner.name === name;
  }
}
