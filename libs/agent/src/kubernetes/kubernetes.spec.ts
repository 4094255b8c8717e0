// The real client of Kubernetes against a server that speaks its API; the spec plays controllers and people.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { KubeConfig, loadAllYaml } from '@kubernetes/client-node';
import { until } from '@twinkey/testing';
import { aborted, type Clock } from '../clock.js';
import { type Keys, Refused } from '../target.js';
import { ApiStub, type Rule } from '../testing/api-stub.js';
import { clusterOf } from './cluster.js';
import { findCluster } from './config.js';
import type { WorkloadRef } from './rollout.js';
import { type KubernetesOptions, kubernetesTarget } from './target.js';

const WEB = { kind: 'deployment', name: 'web' } as const;
const DB = { kind: 'statefulset', name: 'db' } as const;

let stub: ApiStub;
let over: AbortController;

beforeEach(async () => {
  stub = await ApiStub.start();
  over = new AbortController();
  stub.change('deployments/web', {
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } } },
    },
    status: { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2 },
  });
  stub.change('statefulsets/db', {
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'db' } },
      template: { metadata: { labels: { app: 'db' } } },
    },
    status: {
      observedGeneration: 1,
      replicas: 1,
      updatedReplicas: 1,
      availableReplicas: 1,
      currentRevision: 'db-1',
      updateRevision: 'db-1',
    },
  });
  for (const name of ['web-aa1-x', 'web-aa1-y'])
    makePod(name, 'web', { kind: 'ReplicaSet', name: 'web-aa1' });
});

afterEach(() => {
  over.abort();
  stub.stop();
});

/** Pauses are short, and the time that rollouts have passes only when told. */
class QuickClock implements Clock {
  #now = 0;
  readonly now = (): number => this.#now;
  readonly #late = new Set<() => void>();

  readonly wait = (ms: number, signal: AbortSignal): Promise<void> =>
    ms <= 5_000
      ? new Promise((resolve) => setTimeout(resolve, 5))
      : Promise.race([aborted(signal), new Promise<void>((resolve) => this.#late.add(resolve))]);

  pass(ms: number): void {
    this.#now += ms;
    for (const resolve of this.#late) resolve();
  }
}

function keys(generation: number, key = `key-${generation}`): Keys {
  return [{ account: 'speech', generation, fingerprint: `${generation}`.padStart(32, 'a'), key: () => key }];
}

function target(
  workloads: readonly WorkloadRef[] = [WEB],
  more: Partial<KubernetesOptions> = {},
  clock = new QuickClock(),
) {
  const config = new KubeConfig();
  config.loadFromString(stub.kubeconfig());
  return kubernetesTarget(
    {
      namespace: 'shop',
      secret: 'keys',
      names: new Map([['speech', 'api-key']]),
      workloads,
      rolloutWithinMs: 600_000,
      drainMs: 0,
      ...more,
    },
    clusterOf(config, 'shop'),
    clock,
  );
}

function makePod(
  name: string,
  app: string,
  owner: { kind: string; name: string },
  mark?: string,
  secret = 'keys',
): void {
  stub.change(`pods/${name}`, {
    metadata: {
      labels: { app },
      ownerReferences: [{ ...owner, controller: true }],
      ...(mark === undefined ? {} : { annotations: { [`twinkey/${secret}`]: mark } }),
    },
    status: { phase: 'Running' },
  });
}

const markOfTemplate = (place: string, secret = 'keys'): string | undefined => {
  const { template } = stub.get(place)?.spec as {
    template: { metadata: { annotations?: Record<string, string> } };
  };
  return template.metadata.annotations?.[`twinkey/${secret}`];
};

const patches = (place: string) => stub.requests.filter(({ what }) => what === `patch ${place}`).length;
const restarted = (place: string) => until(() => markOfTemplate(place));

/** What the controller of the deployment does when all goes well, in one step. */
function rollOutWeb(secret = 'keys'): void {
  for (const { metadata } of stub.find('pods')) stub.remove(`pods/${metadata.name}`);
  for (const name of ['web-bb2-x', 'web-bb2-y'])
    makePod(
      name,
      'web',
      { kind: 'ReplicaSet', name: 'web-bb2' },
      markOfTemplate('deployments/web', secret),
      secret,
    );
  stub.change('deployments/web', { status: statusOfWeb({}) });
}

function statusOfWeb(more: object): Record<string, unknown> {
  const observedGeneration = stub.get('deployments/web')?.metadata.generation;
  return { observedGeneration, replicas: 2, updatedReplicas: 2, availableReplicas: 2, ...more };
}

const decoded = (entry: string) =>
  Buffer.from(stub.get('secrets/keys')?.data?.[entry] ?? '', 'base64').toString();

describe('a Secret and a deployment that reads it', () => {
  it('are in place when the Secret has the key and every older pod is gone, and not a moment before', async () => {
    let isPlaced = false;
    const placing = target()
      .place(keys(5), over.signal)
      .then(() => (isPlaced = true));
    await restarted('deployments/web');
    expect(decoded('api-key')).toBe('key-5');
    expect(stub.get('secrets/keys')?.metadata).toMatchObject({
      annotations: { 'twinkey/generations': 'speech=5', 'twinkey/fingerprints': 'speech=aaaaaaaaaaaa' },
    });

    const steps: (() => void)[] = [
      () => {
        stub.change('deployments/web', {
          status: statusOfWeb({ replicas: 3, updatedReplicas: 1, availableReplicas: 3 }),
        });
      },
      () => {
        stub.change('deployments/web', {
          status: statusOfWeb({ replicas: 3, updatedReplicas: 2, availableReplicas: 3 }),
        });
      },
      () => {
        stub.change('deployments/web', { status: statusOfWeb({ availableReplicas: 1 }) });
      },
      // Complete for its controller; the older pods are ending and have the older key until they have.
      () => {
        stub.change('deployments/web', { status: statusOfWeb({}) });
      },
    ];
    for (const step of steps) {
      const before = stub.requests.length;
      step();
      await until(() => stub.requests.slice(before).some(({ what }) => what === 'get deployments/web'));
    }
    await until(() => stub.requests.filter(({ what }) => what === 'list pods').length > 1);
    expect(isPlaced).toBe(false);
    rollOutWeb();
    await placing;
  });

  it('say the key nowhere but in the data of the Secret', async () => {
    const placing = target().place(keys(5, 'the-key-itself'), over.signal);
    await restarted('deployments/web');
    rollOutWeb();
    await placing;
    const encoded = Buffer.from('the-key-itself').toString('base64');
    for (const { what, body } of stub.requests) {
      const isOfSecret = what === 'create secrets';
      expect([what, body.includes('the-key-itself'), body.includes(encoded)]).toEqual([
        what,
        false,
        isOfSecret,
      ]);
    }
  });

  it('are taken up where they are by an agent that was started again in between', async () => {
    const first = target().place(keys(5), over.signal);
    await restarted('deployments/web');
    over.abort();
    await first;
    over = new AbortController();
    const second = target().place(keys(5), over.signal);
    rollOutWeb();
    await second;
    expect([patches('deployments/web'), patches('secrets/keys')]).toEqual([1, 0]);
    await target().place(keys(5), over.signal); // and once more, at rest
    expect(patches('deployments/web')).toBe(1);
  });

  it('are restarted by an agent that wrote the Secret and died before anything else', async () => {
    const first = target([]).place(keys(5), over.signal);
    await first;
    const second = target().place(keys(5), over.signal);
    await restarted('deployments/web');
    rollOutWeb();
    await second;
    expect(patches('secrets/keys')).toBe(0);
  });

  it('keep what others put into the Secret, also when they do it at the same moment', async () => {
    stub.change('secrets/keys', { data: { other: 'b3RoZXI=', 'api-key': 'b2xk' } });
    let times = 0;
    stub.before = (what) => {
      if (what !== 'patch secrets' || times === 2) return;
      times += 1;
      stub.change('secrets/keys', { data: { newest: Buffer.from(`${times}`).toString('base64') } });
    };
    await target([]).place(keys(5), over.signal);
    expect([decoded('other'), decoded('newest'), decoded('api-key')]).toEqual(['other', '2', 'key-5']);
    expect(patches('secrets/keys')).toBe(3);
  });

  it('are made once when two agents make them at the same moment', async () => {
    stub.before = (what) => {
      if (what === 'create secrets' && stub.get('secrets/keys') === undefined)
        stub.change('secrets/keys', { data: {} });
    };
    await target([]).place(keys(5), over.signal);
    expect(decoded('api-key')).toBe('key-5');
  });

  it('never go back to an older generation', async () => {
    await target([]).place(keys(6), over.signal);
    await expect(target([]).place(keys(5), over.signal)).rejects.toThrow(
      /a newer generation of speech than 5/,
    );
    expect(decoded('api-key')).toBe('key-6');
  });

  it('are in place together when several workloads read the Secret', async () => {
    const placing = target([WEB, DB]).place(keys(5), over.signal);
    await restarted('deployments/web');
    await restarted('statefulsets/db');
    rollOutWeb();
    const { generation } = stub.get('statefulsets/db')?.metadata ?? {};
    stub.change('statefulsets/db', {
      status: { observedGeneration: generation, updateRevision: 'db-2', updatedReplicas: 0 },
    });
    await until(() => stub.requests.some(({ what }) => what === 'watch statefulsets'));
    stub.change('statefulsets/db', { status: { currentRevision: 'db-2', updatedReplicas: 1 } });
    await placing;
  });
});

describe('a rollout that does not succeed', () => {
  const refusal = async (placing: Promise<void>): Promise<string> => {
    const error: unknown = await placing.then(
      () => 'placed',
      (failed: unknown) => failed,
    );
    if (error instanceof Refused) return error.reason;
    throw new Error(`not refused: ${String(error)}`);
  };

  it('is told to people; once they have helped it goes on, without another restart', async () => {
    const failing = refusal(target().place(keys(5), over.signal));
    await restarted('deployments/web');
    const conditions = [
      { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' },
      { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate' },
    ];
    stub.change('deployments/web', { status: statusOfWeb({ updatedReplicas: 0, conditions }) });
    expect(await failing).toBe('deployment/web: its rollout exceeded the progress deadline (FailedCreate)');
    stub.change('deployments/web', { status: { conditions: [] } });
    rollOutWeb();
    await target().place(keys(5), over.signal);
    expect(patches('deployments/web')).toBe(1);
  });

  it('is paused, and says so', async () => {
    stub.change('deployments/web', { spec: { paused: true } });
    expect(await refusal(target().place(keys(5), over.signal))).toBe(
      'deployment/web: it is paused; resume it',
    );
  });

  it('takes too long, and says what it waits for', async () => {
    const clock = new QuickClock();
    const placing = refusal(target([WEB], {}, clock).place(keys(5), over.signal));
    await restarted('deployments/web');
    stub.change('deployments/web', { status: statusOfWeb({ updatedReplicas: 1 }) });
    await until(() => stub.watching > 0);
    clock.pass(600_000);
    expect(await placing).toBe('deployment/web: not rolled out in time: waits for 1 of 2 pods are new');
  });

  it.each([
    ['get secrets', 'Kubernetes forbids the agent to get Secret keys; its Role needs that'],
    ['create secrets', 'Kubernetes forbids the agent to create Secret keys; its Role needs that'],
    ['get deployments', 'Kubernetes forbids the agent to get deployment web; its Role needs that'],
    ['patch deployments', 'Kubernetes forbids the agent to patch deployment web; its Role needs that'],
    ['watch deployments', 'Kubernetes forbids the agent to watch deployment web; its Role needs that'],
  ])('is not allowed to %s', async (what, reason) => {
    stub.forbidden.add(what);
    expect(await refusal(target().place(keys(5), over.signal))).toBe(reason);
  });

  it('is not allowed to list pods', async () => {
    stub.forbidden.add('list pods');
    const placing = refusal(target().place(keys(5), over.signal));
    await restarted('deployments/web');
    rollOutWeb();
    expect(await placing).toMatch(/forbids the agent to list pods/);
  });

  it('has no such workload, or an agent that nobody knows', async () => {
    const missing = target([{ kind: 'daemonset', name: 'none' }]).place(keys(5), over.signal);
    expect(await refusal(missing)).toBe('Kubernetes has nothing of that name: get daemonset none');
    const stranger = new KubeConfig();
    stranger.loadFromString(stub.kubeconfig('somebody-else'));
    const options = {
      namespace: 'shop',
      secret: 'keys',
      names: new Map(),
      workloads: [],
      rolloutWithinMs: 0,
      drainMs: 0,
    };
    const unknown = kubernetesTarget(options, clusterOf(stranger, 'shop')).place(keys(5), over.signal);
    expect(await refusal(unknown)).toMatch(/does not know who the agent is/);
  });

  it('repeats nothing of what Kubernetes says about the Secret that it does not like', async () => {
    stub.failures.push({ what: 'create secrets', status: 422 });
    const reason = await refusal(target().place(keys(5, 'the-key-itself'), over.signal));
    expect(reason).toBe('Kubernetes refuses to create Secret keys (422)');
  });
});

describe('the Role on the page about the agent', () => {
  it('allows all that is done, and nothing besides', async () => {
    const page = await readFile(new URL('../../../../docs/how-to/run-the-agent.md', import.meta.url), 'utf8');
    const texts = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text);
    const manifests = texts.flatMap((text) => loadAllYaml(text) as { kind: string; rules: Rule[] }[]);
    const role = manifests.find(({ kind }) => kind === 'Role');
    const rules = (role?.rules ?? []).flatMap(({ verbs, ...rule }) =>
      verbs.map((verb): Rule => ({ ...rule, verbs: [verb] })),
    );
    stub.rules = rules;
    stub.change('statefulsets/worker', stub.get('statefulsets/db') as never);
    const place = (generation: number) =>
      target([WEB, { kind: 'statefulset', name: 'worker' }], { secret: 'speech-key' }).place(
        keys(generation),
        over.signal,
      );
    for (const generation of [5, 6]) {
      const placing = place(generation);
      await until(() =>
        markOfTemplate('statefulsets/worker', 'speech-key')?.startsWith(`speech=${generation}`),
      );
      await until(() => stub.watching > 0);
      rollOutWeb('speech-key');
      await until(() => stub.requests.some(({ what }) => what === 'watch statefulsets'));
      const observedGeneration = stub.get('statefulsets/worker')?.metadata.generation;
      stub.change('statefulsets/worker', { status: { observedGeneration } });
      await placing;
    }
    expect(rules.filter((rule) => !stub.used.has(rule))).toEqual([]);
  });
});

describe('Kubernetes in trouble', () => {
  it('is asked again until it answers', async () => {
    for (const what of [
      'get secrets',
      'create secrets',
      'get deployments',
      'patch deployments',
      'watch deployments',
      'list pods',
    ])
      stub.failures.push({ what, status: 503 }, { what, status: 429 });
    const placing = target().place(keys(5), over.signal);
    await restarted('deployments/web');
    await until(() => stub.requests.filter(({ what }) => what === 'watch deployments').length > 1);
    rollOutWeb();
    await placing;
  });

  it('is told to people when it does not answer for too long', async () => {
    const config = new KubeConfig();
    config.loadFromString(stub.kubeconfig());
    stub.stop();
    const options = {
      namespace: 'shop',
      secret: 'keys',
      names: new Map(),
      workloads: [],
      rolloutWithinMs: 0,
      drainMs: 0,
    };
    await expect(
      kubernetesTarget(options, clusterOf(config, 'shop')).place(keys(5), over.signal),
    ).rejects.toThrow('Kubernetes does not answer: get Secret keys (ECONNREFUSED)');
  });

  it.each([
    [
      'whose version is gone, in an event',
      () => {
        stub.expireWatches();
      },
    ],
    [
      'that ends',
      () => {
        stub.endWatches();
      },
    ],
  ])('ends a watch %s; another one follows', async (_, end) => {
    const placing = target().place(keys(5), over.signal);
    await restarted('deployments/web');
    await until(() => stub.watching > 0);
    end();
    await until(
      () => stub.requests.filter(({ what }) => what === 'watch deployments').length > 1 && stub.watching > 0,
    );
    rollOutWeb();
    await placing;
  });

  it('refuses a watch from a version that is gone; a newer one is read', async () => {
    let isFirst = true;
    stub.before = (what) => {
      if (what !== 'watch deployments' || !isFirst) return;
      isFirst = false;
      stub.compact();
      stub.change('deployments/web', { status: statusOfWeb({ updatedReplicas: 1 }) });
    };
    const placing = target().place(keys(5), over.signal);
    await until(() => stub.watching > 0);
    rollOutWeb();
    await placing;
  });

  it('does not keep an agent from ending', async () => {
    const placing = target().place(keys(5), over.signal);
    await until(() => stub.watching > 0);
    over.abort();
    await placing;
    await until(() => stub.watching === 0);
  });
});

describe('the cluster', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'agent-cluster-'));
    const account = join(folder, 'var/run/secrets/kubernetes.io/serviceaccount');
    await mkdir(account, { recursive: true });
    await writeFile(join(account, 'token'), 'token-of-the-pod');
    await writeFile(join(account, 'namespace'), 'shop');
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** The client itself reads the process's environment. */
  const within = (env: Record<string, string>, act: () => KubeConfig): KubeConfig => {
    const names = ['KUBECONFIG', 'KUBERNETES_SERVICE_HOST', 'KUBERNETES_SERVICE_PORT', 'HOME'];
    const before = names.map((name) => [name, process.env[name]] as const);
    for (const name of names) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, env);
    try {
      return act();
    } finally {
      for (const [name, value] of before) {
        if (value === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = value;
      }
    }
  };

  it('is that of the pod, with the pod’s own service account', () => {
    const env = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443', HOME: folder };
    const config = within(env, () => findCluster(process.env, folder));
    expect(config.getCurrentCluster()).toMatchObject({
      server: 'https://10.0.0.1:443',
      skipTLSVerify: false,
    });
    expect(config.getCurrentUser()).toMatchObject({ authProvider: { name: 'tokenFile' } });
  });

  it('is that of KUBECONFIG, in a pod too', async () => {
    const file = join(folder, 'kubeconfig');
    await writeFile(file, stub.kubeconfig());
    const env = { KUBECONFIG: file, KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' };
    expect(within(env, () => findCluster(process.env, folder)).getCurrentCluster()?.server).toBe(stub.url);
  });

  it('is never guessed', () => {
    expect(() => within({ HOME: folder }, () => findCluster())).toThrow(
      /no cluster is named: set KUBECONFIG/,
    );
    expect(() => within({ KUBECONFIG: join(folder, 'none') }, () => findCluster())).toThrow(
      'the kubeconfig cannot be read',
    );
  });
});
