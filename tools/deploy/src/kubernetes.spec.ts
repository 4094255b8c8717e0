// Renders the kustomizations with kubectl and holds what comes out against Kubernetes' own schemas, the services'
// configuration, and the rules for pods. Nothing is applied anywhere.
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
// The whole client takes twice as long to load.
import { dumpYaml, loadYaml } from '@kubernetes/client-node/dist/yaml.js';
import { parser as promql } from '@prometheus-io/lezer-promql';
import { topology } from '@twinkey/contracts';
import { parse } from 'yaml';
import { z } from 'zod';
import { SHARDS } from './generated.js';
import {
  containersOf,
  hasKubectl,
  ofKind,
  render,
  selects,
  variablesOf,
  workloadsOf,
  type Labels,
  type Manifest,
  type Workload,
} from './manifests.js';
import { faultsOf } from './pod-rules.js';
import { readRoles } from './roles.js';
import { root } from './repository.js';
import { knownVariables } from './variables.js';

const SERVICES = ['scheduler', 'rotator', 'notifier', 'console'];
const OVERLAYS = {
  base: 'deploy/kubernetes/base',
  aks: 'deploy/kubernetes/overlays/aks',
  'aks-all': 'deploy/kubernetes/overlays/aks-all',
  dev: 'deploy/kubernetes/overlays/dev',
  'support-desk': 'deploy/kubernetes/overlays/support-desk',
} as const;
type Overlay = keyof typeof OVERLAYS;

const isHere = hasKubectl();
if (!isHere) console.warn('kubectl is not here: the Kubernetes manifests are not looked at.');
const withKubectl = isHere ? describe : describe.skip;

withKubectl('the manifests that kubectl renders', () => {
  const rendered = {} as Record<Overlay, readonly Manifest[]>;
  beforeAll(async () => {
    const rendering = Object.entries(OVERLAYS).map(async ([overlay, folder]) => {
      rendered[overlay as Overlay] = await render(folder);
    });
    await Promise.all(rendering);
  });
  const everywhere = () => Object.values(rendered).flat();
  const service = (overlay: Overlay, name: string): Workload => {
    const found = workloadsOf(rendered[overlay]).find((workload) => workload.name === name);
    if (found === undefined) throw new Error(`no workload ${name} in ${overlay}`);
    return found;
  };

  it('are objects of the kinds that they say, with no field too many and none of another type', async () => {
    const problems: string[] = [];
    for (const manifest of everywhere()) {
      const name = `${manifest.kind} ${manifest.metadata.name}`;
      const custom = CUSTOM[manifest.kind];
      if (custom !== undefined) {
        const read = custom.safeParse(manifest);
        if (!read.success) problems.push(`${name}: ${z.prettifyError(read.error)}`);
        continue;
      }
      problems.push(...(await problemsOfKind(manifest)).map((problem) => `${name}: ${problem}`));
      if (hasUnknownFields(manifest)) problems.push(`${name}: has a field that Kubernetes does not know`);
    }
    expect(problems).toEqual([]);
  });

  it('would be found out: a field of another type, and one that does not exist', async () => {
    const [manifest] = ofKind(rendered.base, 'Deployment');
    if (manifest === undefined) throw new Error('no Deployment');
    const planted = (spec: object) => ({ ...manifest, spec: { ...manifest.spec, ...spec } });
    expect(await problemsOfKind(planted({ replicas: 'two' }))).not.toEqual([]);
    expect(hasUnknownFields(planted({ replica: 2 }))).toBe(true);
    const scaled = ofKind(rendered['aks-all'], 'ScaledObject')[0];
    expect(ScaledObject.safeParse({ ...scaled, spec: { ...scaled?.spec, maxReplicas: 3 } }).success).toBe(
      false,
    );
  });

  it('confine, limit and cut off every pod, and ask it how it is', () => {
    for (const overlay of Object.keys(OVERLAYS) as Overlay[])
      expect([overlay, ...faultsOf(rendered[overlay])]).toEqual([overlay]);
  });

  it.each([
    ['may run as root', { pod: { securityContext: {} } }],
    ['shares a namespace of its node', { pod: { hostNetwork: true } }],
    ['volume host is a hostPath', { pod: { volumes: [{ name: 'host', hostPath: { path: '/' } }] } }],
    ['may write to its image', { container: { securityContext: {} } }],
    ['keeps capabilities', { container: { securityContext: { readOnlyRootFilesystem: true } } }],
    ['limits no memory', { container: { resources: {} } }],
    ['is another one every day', { container: { image: 'twinkey/console:latest' } }],
    ['has neither tag nor digest', { container: { image: 'registry:5000/twinkey/console' } }],
    ['has no readiness probe', { container: { readinessProbe: undefined } }],
    ['is asked on port 1, which', { container: { livenessProbe: { httpGet: { path: '/', port: 1 } } } }],
    ['network policy operators-reach-the-console: no pod has a port http', { container: { ports: [] } }],
  ])('would be found out: %s', (fault, planted) => {
    expect(faultsOf(rendered.base.map((manifest) => spoilt(manifest, 'console', planted)))).toContainEqual(
      expect.stringContaining(fault),
    );
  });

  it('would be found out: a pod that no policy covers, a policy that covers no pod', () => {
    const open = rendered.base.filter(({ metadata }) => metadata.name !== 'deny-all');
    expect(faultsOf(open)).toContain('scheduler: no network policy is about its ingress');
    const silent = rendered.base.filter(
      ({ kind, metadata }) => kind !== 'Deployment' || metadata.name !== 'notifier',
    );
    expect(faultsOf(silent)).toContain('network policy consumers-reach-the-notifier: selects no pod');
  });

  it('set no variable that the services do not know', () => {
    const known = knownVariables().map(({ name }) => name);
    for (const overlay of Object.keys(OVERLAYS) as Overlay[])
      for (const workload of workloadsOf(rendered[overlay]))
        for (const container of containersOf(workload)) {
          const unknown = [...variablesOf(container, rendered[overlay]).keys()].filter(
            (name) => !known.includes(name) && (container.name === 'service' || name.startsWith('TWINKEY_')),
          );
          expect([overlay, workload.name, ...unknown]).toEqual([overlay, workload.name]);
        }
  });

  it.each(['aks', 'aks-all', 'dev'] as const)(
    'set every variable that a service cannot do without: %s',
    (overlay) => {
      for (const name of SERVICES) {
        const { labels, pod } = service(overlay, name);
        const [container] = pod.containers;
        if (container === undefined) throw new Error('no container');
        const set = [
          ...variablesOf(container, rendered[overlay]).keys(),
          // What the webhook of workload identity adds, or the gate of a development cluster.
          ...(labels['azure.workload.identity/use'] === 'true' ? ['AZURE_TENANT_ID', 'AZURE_CLIENT_ID'] : []),
          ...(container.args?.includes(`--env-file=/azure/${name}.env`) === true
            ? ['AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'AZURE_CLIENT_SECRET', 'TWINKEY_SERVICE_BUS_NAMESPACE']
            : []),
        ];
        const needed = knownVariables()
          .filter(
            ({ required, section }) => required && ['every service', name].includes(section.toLowerCase()),
          )
          .map((variable) => variable.name);
        // A service that others can reach asks for tokens, and must know of which tenant and for whom.
        const conditional = ['TWINKEY_SERVICE_BUS_NAMESPACE', 'TWINKEY_API_AUDIENCE', 'AZURE_TENANT_ID'];
        expect(set).toEqual(expect.arrayContaining([...needed, ...conditional, 'AZURE_CLIENT_ID']));
      }
    },
  );

  it('take secrets from secrets, never from a settings map', () => {
    for (const map of ofKind(everywhere(), 'ConfigMap'))
      for (const name of ['DATABASE_URL', 'SERVICEBUS_CONNECTION_STRING', 'TWINKEY_FINGERPRINT_SALT'])
        expect(Object.keys(map.data ?? {})).not.toContain(name);
  });

  it('run each service twice, apart, and keep one of them through every disruption', () => {
    const budgets = ofKind(rendered.base, 'PodDisruptionBudget');
    for (const name of SERVICES) {
      const { replicas, labels, pod } = service('base', name);
      expect([name, replicas]).toEqual([name, 2]);
      expect(pod.topologySpreadConstraints).toHaveLength(2);
      const budget = budgets.filter(({ spec }) =>
        selects(spec?.['selector'] as { matchLabels: Labels }, labels),
      );
      expect(budget.map(({ spec }) => spec?.['minAvailable'])).toEqual([1]);
    }
  });

  it('ask on the port on which a service listens, by the routes that it has', () => {
    const controller = readFileSync(`${root}libs/service/src/health.controller.ts`, 'utf8');
    for (const name of SERVICES) {
      const [container] = service('base', name).pod.containers;
      const port = container?.ports?.find((one) => one.name === 'http')?.containerPort;
      const variables = container === undefined ? undefined : variablesOf(container, rendered.base);
      expect(variables?.get(`TWINKEY_${name.toUpperCase()}_PORT`)).toBe(String(port));
      expect(variables?.get('TWINKEY_HTTP_HOST')).toBe('0.0.0.0');
      // Unless TWINKEY_METRICS_PORT says otherwise.
      const metrics = container?.ports?.find((one) => one.name === 'metrics')?.containerPort;
      expect(metrics).toBe(Number(port) + 10);
      const probes = [container?.startupProbe, container?.livenessProbe, container?.readinessProbe];
      for (const probe of probes) {
        const [, route = ''] = /^\/health\/(.*)$/.exec(probe?.httpGet?.path ?? '') ?? [];
        expect(controller).toContain(`@Get('${route}')`);
      }
    }
  });

  it('give a service the time that it takes to end', () => {
    for (const overlay of ['base', 'dev'] as const)
      for (const name of SERVICES) {
        const { pod } = service(overlay, name);
        const [container] = pod.containers;
        const seconds =
          container && variablesOf(container, rendered[overlay]).get('TWINKEY_SHUTDOWN_SECONDS');
        const preStop = container?.lifecycle?.preStop?.sleep?.seconds ?? 0;
        expect(preStop).toBeGreaterThan(0);
        expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(Number(seconds) + preStop + 5);
      }
  });

  it('name only what is there: accounts, ports of services, targets of autoscalers, queues', () => {
    for (const manifests of Object.values(rendered)) {
      const workloads = workloadsOf(manifests);
      const accounts = ofKind(manifests, 'ServiceAccount').map(({ metadata }) => metadata.name);
      for (const { pod } of workloads)
        if (pod.serviceAccountName !== undefined) expect(accounts).toContain(pod.serviceAccountName);
      for (const { metadata, spec } of ofKind(manifests, 'Service')) {
        const chosen = workloads.filter(({ labels }) =>
          selects({ matchLabels: spec?.['selector'] as Labels }, labels),
        );
        expect([metadata.name, chosen.length]).toEqual([metadata.name, 1]);
        const ports = chosen
          .flatMap(containersOf)
          .flatMap(({ ports: own = [] }) => own.map((one) => one.name));
        for (const { targetPort } of spec?.['ports'] as { targetPort: string }[])
          expect(ports).toContain(targetPort);
      }
      for (const { spec } of ofKind(manifests, 'PodMonitor')) {
        const { selector, podMetricsEndpoints } = spec as z.infer<typeof PodMonitor>['spec'];
        const chosen = workloads.filter(({ labels }) => selects(selector, labels));
        expect(chosen.map(({ name }) => name).toSorted()).toEqual(SERVICES.toSorted());
        for (const { port } of podMetricsEndpoints)
          for (const { pod } of chosen)
            expect(pod.containers[0]?.ports?.map(({ name }) => name)).toContain(port);
      }
      const queues = topology({ shards: 1 }).queues.map(({ name }) => name);
      for (const { spec } of ofKind(manifests, 'ScaledObject')) {
        const scaled = spec as z.infer<typeof ScaledObject>['spec'];
        const target = workloads.find(({ name }) => name === scaled.scaleTargetRef.name);
        expect(target).toBeDefined();
        expect(target?.replicas).toBeUndefined();
        expect(scaled.minReplicaCount).toBeGreaterThanOrEqual(2);
        for (const { metadata } of scaled.triggers) expect(queues).toContain(metadata.queueName);
      }
    }
  });

  it('make each service account the identity of the same name', () => {
    const { identities } = readRoles();
    const accounts = ofKind(rendered.aks, 'ServiceAccount');
    expect(accounts.map(({ metadata }) => metadata.name).toSorted()).toEqual(
      Object.values(identities)
        .flatMap(({ serviceAccount }) => serviceAccount ?? [])
        .toSorted(),
    );
    const clientIds = accounts.map(
      ({ metadata }) => metadata.annotations?.['azure.workload.identity/client-id'],
    );
    expect(new Set(clientIds).size).toBe(SERVICES.length);
    for (const name of SERVICES) expect(service('aks', name).pod.serviceAccountName).toBe(name);
  });

  it('call the agent by options that it has, with rights on one Secret and one program', () => {
    const manifests = rendered['support-desk'];
    const agent = service('support-desk', 'twinkey-agent').pod.containers[0];
    const reference = readFileSync(`${root}docs/reference/cli.md`, 'utf8');
    const options = /### `twinkey agent`[^]*?(?=### )/.exec(reference)?.[0] ?? '';
    for (const [option] of agent?.args?.join(' ').matchAll(/--[a-z-]+/g) ?? [])
      expect(options).toContain(`\`${option} `);
    const [role] = ofKind(manifests, 'Role') as unknown as { rules: Rule[] }[];
    expect(role?.rules).toEqual([
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['twinkey-keys'], verbs: ['get', 'patch'] },
      {
        apiGroups: ['apps'],
        resources: ['deployments'],
        resourceNames: ['support-desk'],
        verbs: ['get', 'patch', 'watch'],
      },
      { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
    ]);
    expect(agent === undefined ? '' : variablesOf(agent, manifests).get('RESTART')).toBe(
      'deployment/support-desk',
    );
    expect(agent?.args).toContain('--kubernetes-secret=$(NAMESPACE)/twinkey-keys');
    expect(ofKind(manifests, 'Secret').map(({ metadata, data }) => [metadata.name, data])).toEqual([
      ['twinkey-keys', undefined],
    ]);
  });

  it('warn by rules that Prometheus can read, each with a sentence for whoever is woken', () => {
    const rules = ofKind(rendered['aks-all'], 'PrometheusRule').flatMap(({ spec }) =>
      (spec as z.infer<typeof PrometheusRule>['spec']).groups.flatMap((group) => group.rules),
    );
    expect(rules.length).toBeGreaterThan(0);
    for (const { expr, annotations } of rules) {
      expect([expr, hasPromqlErrors(expr)]).toEqual([expr, false]);
      expect(Object.keys(annotations ?? {})).toEqual(expect.arrayContaining(['summary', 'description']));
    }
    expect(hasPromqlErrors('rate(up[5m)')).toBe(true);
  });

  it('count as many key-changed topics as there are', () => {
    const count = (overlay: Overlay) =>
      ofKind(rendered[overlay], 'ConfigMap').flatMap(
        ({ data }) => data?.['TWINKEY_KEY_CHANGED_SHARDS'] ?? [],
      );
    expect(count('aks')).toEqual([String(SHARDS.azure)]);
    expect(count('dev')).toEqual([String(SHARDS.dev)]);
  });
});

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

type Model = new (manifest: Manifest) => { validate(): void };

/** What Kubernetes' own schema of the kind says. */
async function problemsOfKind(manifest: Manifest): Promise<readonly string[]> {
  const { apiVersion, kind } = manifest;
  const module = (await import(`kubernetes-models/${apiVersion}/${kind}`)) as Record<string, Model>;
  const ModelOfKind = module[kind];
  if (ModelOfKind === undefined) return [`no schema for ${apiVersion}`];
  try {
    new ModelOfKind(kind === 'Secret' ? onOneLine(manifest) : manifest).validate();
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** kubectl folds what is longer than 70 characters; Kubernetes reads over the ends of lines in base64, its schema does not. */
function onOneLine(manifest: Manifest): Manifest {
  const data = Object.entries(manifest.data ?? {}).map(([name, text]) => [name, text.replaceAll('\n', '')]);
  return {
    ...manifest,
    ...(manifest.data === undefined ? {} : { data: Object.fromEntries(data) as Labels }),
  };
}

function hasPromqlErrors(expression: string): boolean {
  let isBroken = false;
  promql.parse(expression).iterate({
    enter: ({ type }) => {
      isBroken ||= type.isError;
    },
  });
  return isBroken;
}

/** The client's own types drop what they do not know. */
function hasUnknownFields(manifest: Manifest): boolean {
  return !isDeepStrictEqual(parse(dumpYaml(loadYaml(JSON.stringify(manifest)))), manifest);
}

const metadata = z.strictObject({
  name: z.string(),
  namespace: z.string(),
  labels: z.record(z.string(), z.string()).optional(),
});

/** The fields of other people's kinds that are used here, from their documentation. */
const ScaledObject = z.strictObject({
  apiVersion: z.literal('keda.sh/v1alpha1'),
  kind: z.literal('ScaledObject'),
  metadata,
  spec: z.strictObject({
    scaleTargetRef: z.strictObject({ name: z.string() }),
    minReplicaCount: z.int().min(0),
    maxReplicaCount: z.int().min(1),
    cooldownPeriod: z.int().optional(),
    pollingInterval: z.int().optional(),
    triggers: z
      .array(
        z.strictObject({
          type: z.literal('azure-servicebus'),
          metadata: z.strictObject({
            queueName: z.string(),
            messageCount: z.string().regex(/^\d+$/),
            // The first label of the host name, not all of it.
            namespace: z.string().regex(/^[a-z][a-z0-9-]+$/),
          }),
          authenticationRef: z.strictObject({ name: z.string() }),
        }),
      )
      .min(1),
  }),
});
const promDuration = z.string().regex(/^\d+(ms|s|m|h|d)$/);
const PodMonitor = z.strictObject({
  apiVersion: z.literal('monitoring.coreos.com/v1'),
  kind: z.literal('PodMonitor'),
  metadata,
  spec: z.strictObject({
    selector: z.strictObject({ matchLabels: z.record(z.string(), z.string()) }),
    podTargetLabels: z.array(z.string()).optional(),
    podMetricsEndpoints: z.array(
      z.strictObject({
        port: z.string(),
        path: z.string().startsWith('/'),
        interval: promDuration,
        scrapeTimeout: promDuration,
        relabelings: z
          .array(z.strictObject({ sourceLabels: z.array(z.string()), targetLabel: z.string() }))
          .optional(),
      }),
    ),
  }),
});
const PrometheusRule = z.strictObject({
  apiVersion: z.literal('monitoring.coreos.com/v1'),
  kind: z.literal('PrometheusRule'),
  metadata,
  spec: z.strictObject({
    groups: z.array(
      z.strictObject({
        name: z.string(),
        interval: promDuration.optional(),
        rules: z.array(
          z.strictObject({
            alert: z.string().optional(),
            record: z.string().optional(),
            expr: z.string(),
            for: promDuration.optional(),
            labels: z.record(z.string(), z.string()).optional(),
            annotations: z.record(z.string(), z.string()).optional(),
          }),
        ),
      }),
    ),
  }),
});
const CUSTOM: Readonly<Record<string, z.ZodType>> = {
  ScaledObject,
  TriggerAuthentication: z.strictObject({
    apiVersion: z.literal('keda.sh/v1alpha1'),
    kind: z.literal('TriggerAuthentication'),
    metadata,
    spec: z.strictObject({
      podIdentity: z.strictObject({ provider: z.literal('azure-workload'), identityId: z.guid() }),
    }),
  }),
  PodMonitor,
  PrometheusRule,
};

/** The manifest with fields of its pod, or of its first container, set to what they must not be. */
function spoilt(manifest: Manifest, name: string, planted: { pod?: object; container?: object }): Manifest {
  if (manifest.kind !== 'Deployment' || manifest.metadata.name !== name) return manifest;
  const copy = structuredClone(manifest) as unknown as {
    spec: { template: { spec: { containers: object[] } } };
  };
  Object.assign(copy.spec.template.spec, planted.pod);
  Object.assign(copy.spec.template.spec.containers[0] ?? {}, planted.container);
  return copy as unknown as Manifest;
}
