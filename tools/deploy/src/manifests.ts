// Kubernetes objects as kubectl renders them from a kustomization, and what is looked up in them.
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { root } from './repository.js';

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Labels;
    readonly annotations?: Labels;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly data?: Labels;
}

export type Labels = Readonly<Record<string, string>>;

export interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string | number };
  readonly tcpSocket?: { readonly port: string | number };
  readonly exec?: { readonly command: readonly string[] };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly restartPolicy?: string;
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly secretKeyRef?: { readonly name: string; readonly key: string } };
  }[];
  readonly envFrom?: readonly { readonly configMapRef?: { readonly name: string } }[];
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds: number } } };
  readonly resources?: { readonly requests?: Labels; readonly limits?: Labels };
  readonly securityContext?: {
    readonly allowPrivilegeEscalation?: boolean;
    readonly readOnlyRootFilesystem?: boolean;
    readonly privileged?: boolean;
    readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] };
  };
}

export interface PodSpec {
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly securityContext?: {
    readonly runAsNonRoot?: boolean;
    readonly runAsUser?: number;
    readonly seccompProfile?: { readonly type: string };
  };
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Readonly<Record<string, unknown>>[];
  readonly topologySpreadConstraints?: readonly unknown[];
}

/** Something that makes pods. */
export interface Workload {
  readonly name: string;
  readonly kind: string;
  /** Absent when an autoscaler says how many. */
  readonly replicas?: number;
  readonly labels: Labels;
  readonly pod: PodSpec;
}

/** Whether there is a kubectl that can render; it needs no cluster. */
export function hasKubectl(): boolean {
  return spawnSync('kubectl', ['kustomize', '--help']).status === 0;
}

/** What would be applied. The folder is one of the repository. */
export async function render(folder: string): Promise<readonly Manifest[]> {
  const { stdout } = await promisify(execFile)('kubectl', ['kustomize', `${root}${folder}`]);
  return parseManifests(stdout);
}

export function parseManifests(text: string): readonly Manifest[] {
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}

export function ofKind(manifests: readonly Manifest[], kind: string): readonly Manifest[] {
  return manifests.filter((manifest) => manifest.kind === kind);
}

export function workloadsOf(manifests: readonly Manifest[]): readonly Workload[] {
  return ['Deployment', 'StatefulSet', 'DaemonSet', 'Job']
    .flatMap((kind) => ofKind(manifests, kind))
    .map(({ kind, metadata, spec }) => {
      const { replicas, template } = spec as {
        replicas?: number;
        template: { metadata: { labels: Labels }; spec: PodSpec };
      };
      return {
        name: metadata.name,
        kind,
        labels: template.metadata.labels,
        pod: template.spec,
        ...(replicas === undefined ? {} : { replicas }),
      };
    });
}

export function containersOf({ pod }: Workload): readonly Container[] {
  return [...(pod.initContainers ?? []), ...pod.containers];
}

/** Whether a selector of `matchLabels` (none selects all) takes these labels. */
export function selects(
  selector: { readonly matchLabels?: Labels; readonly matchExpressions?: unknown },
  labels: Labels,
): boolean {
  return Object.entries(selector.matchLabels ?? {}).every(([name, value]) => labels[name] === value);
}

/** The variables of a container: those with a value, and those that a secret will hold (`undefined`). */
export function variablesOf(
  { env = [], envFrom = [] }: Container,
  manifests: readonly Manifest[],
): ReadonlyMap<string, string | undefined> {
  const maps = envFrom.flatMap(({ configMapRef }) => {
    const map = ofKind(manifests, 'ConfigMap').find(({ metadata }) => metadata.name === configMapRef?.name);
    if (map === undefined) throw new Error(`no ConfigMap ${configMapRef?.name ?? '(unnamed)'}`);
    return Object.entries(map.data ?? {});
  });
  return new Map<string, string | undefined>([
    ...maps,
    ...env.map(({ name, value }): [string, string | undefined] => [name, value]),
  ]);
}
