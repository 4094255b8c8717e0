// What every pod of ours must be: unable to become more than it is, limited, asked how it is, cut off from everything that
// nobody allowed. Each rule answers with sentences about what breaks it.
import {
  containersOf,
  ofKind,
  selects,
  workloadsOf,
  type Container,
  type Labels,
  type Manifest,
  type Workload,
} from './manifests.js';

/** What is wrong with these manifests, workload by workload. */
export function faultsOf(manifests: readonly Manifest[]): readonly string[] {
  return [
    ...workloadsOf(manifests).flatMap((workload) =>
      [
        ...unconfined(workload),
        ...containersOf(workload).flatMap((container) =>
          [...unconfinedContainer(container), ...unlimited(container), ...unpinned(container)].map(
            (fault) => `${container.name}: ${fault}`,
          ),
        ),
        ...unasked(workload),
        ...unknownPorts(workload),
      ].map((fault) => `${workload.name}: ${fault}`),
    ),
    ...uncovered(manifests),
    ...policiesOfNobody(manifests),
  ];
}

const HARMLESS_VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

/** Pod Security, restricted: the part that is about the pod. */
function* unconfined({ pod }: Workload): Generator<string> {
  const { securityContext } = pod;
  if (securityContext?.runAsNonRoot !== true) yield 'may run as root';
  if (securityContext?.runAsUser === 0) yield 'runs as root';
  if (securityContext?.seccompProfile?.type !== 'RuntimeDefault') yield 'has no seccomp profile';
  if ((pod.hostNetwork ?? pod.hostPID ?? pod.hostIPC) === true) yield 'shares a namespace of its node';
  for (const { name, ...source } of pod.volumes ?? []) {
    const [kind = 'emptyDir'] = Object.keys(source);
    if (!HARMLESS_VOLUMES.includes(kind)) yield `volume ${String(name)} is a ${kind}`;
  }
  if (pod.automountServiceAccountToken !== false && pod.serviceAccountName === undefined)
    yield 'gets a token for the Kubernetes API by chance: say whether it needs one';
}

function* unconfinedContainer({ securityContext }: Container): Generator<string> {
  if (securityContext?.allowPrivilegeEscalation !== false) yield 'may gain privileges';
  if (securityContext?.privileged === true) yield 'is privileged';
  if (securityContext?.readOnlyRootFilesystem !== true) yield 'may write to its image';
  if (securityContext?.capabilities?.drop?.includes('ALL') !== true) yield 'keeps capabilities';
  if ((securityContext?.capabilities?.add ?? []).length > 0) yield 'adds capabilities';
}

function* unlimited({ resources }: Container): Generator<string> {
  for (const part of ['requests', 'limits'] as const)
    for (const what of ['cpu', 'memory'])
      if (resources?.[part]?.[what] === undefined) yield `${part} no ${what}`;
}

function* unpinned({ image }: Container): Generator<string> {
  const [name = '', digest] = image.split('@');
  const tag = /:([^/:]+)$/.exec(name)?.[1];
  if (digest === undefined && tag === undefined) yield `image ${image} has neither tag nor digest`;
  if (tag === 'latest') yield `image ${image} is another one every day`;
}

/** Whoever listens is asked whether it lives and whether it is ready. */
function* unasked({ pod }: Workload): Generator<string> {
  for (const { name, ports = [], livenessProbe, readinessProbe } of pod.containers) {
    if (ports.length === 0) continue;
    if (livenessProbe === undefined) yield `${name}: has no liveness probe`;
    if (readinessProbe === undefined) yield `${name}: has no readiness probe`;
  }
}

function* unknownPorts({ pod }: Workload): Generator<string> {
  for (const { name, ports = [], ...probes } of pod.containers) {
    for (const probe of [probes.startupProbe, probes.livenessProbe, probes.readinessProbe]) {
      const port = probe?.httpGet?.port ?? probe?.tcpSocket?.port;
      if (port === undefined || ports.some((one) => one.name === port || one.containerPort === port))
        continue;
      yield `${name}: is asked on port ${port}, which it does not have`;
    }
  }
}

interface NetworkPolicy {
  readonly podSelector: { readonly matchLabels?: Labels };
  readonly policyTypes?: readonly string[];
  readonly ingress?: readonly { readonly ports?: readonly { readonly port: string | number }[] }[];
}

function policies(manifests: readonly Manifest[]): readonly { name: string; policy: NetworkPolicy }[] {
  return ofKind(manifests, 'NetworkPolicy').map(({ metadata, spec }) => ({
    name: metadata.name,
    policy: spec as unknown as NetworkPolicy,
  }));
}

/** A pod that no policy selects may talk to everybody, and everybody to it. */
function* uncovered(manifests: readonly Manifest[]): Generator<string> {
  const known = policies(manifests);
  for (const { name, labels } of workloadsOf(manifests)) {
    for (const direction of ['Ingress', 'Egress']) {
      const covers = known.some(
        ({ policy }) =>
          policy.policyTypes?.includes(direction) === true && selects(policy.podSelector, labels),
      );
      if (!covers) yield `${name}: no network policy is about its ${direction.toLowerCase()}`;
    }
  }
}

/** A policy with a misspelt label or port allows nothing, and says nothing. */
function* policiesOfNobody(manifests: readonly Manifest[]): Generator<string> {
  for (const { name, policy } of policies(manifests)) {
    const chosen = workloadsOf(manifests).filter(({ labels }) => selects(policy.podSelector, labels));
    if (chosen.length === 0) yield `network policy ${name}: selects no pod`;
    const ports = chosen.flatMap((workload) =>
      containersOf(workload).flatMap(({ ports: own = [] }) => own.map((one) => one.name)),
    );
    for (const { port } of (policy.ingress ?? []).flatMap((rule) => rule.ports ?? []))
      if (typeof port === 'string' && !ports.includes(port))
        yield `network policy ${name}: no pod has a port ${port}`;
  }
}
