// Kubernetes as the agent sees it: few calls, each with a time limit, and failures that hold nothing of what was sent.
import {
  ApiException,
  AppsV1Api,
  CoreV1Api,
  type KubeConfig,
  PatchStrategy,
  setHeaderMiddleware,
  type V1Pod,
  type V1Secret,
  Watch,
} from '@kubernetes/client-node';
import { codeOf } from '../file/signal.js';
import { Refused } from '../target.js';
import type { Mark, Workload, WorkloadRef } from './rollout.js';

/** Somebody else changed it in between, or made it: look again. */
export class Conflict extends Error {
  override readonly name = 'Conflict';
}

/** No answer, or one that a repetition may change. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

export interface Cluster {
  readSecret(name: string, signal: AbortSignal): Promise<V1Secret | undefined>;
  createSecret(body: V1Secret, signal: AbortSignal): Promise<void>;
  patchSecret(name: string, body: V1Secret, signal: AbortSignal): Promise<void>;
  readWorkload(ref: WorkloadRef, signal: AbortSignal): Promise<Workload>;
  /** Marks the pod template, which makes the controller replace all pods. */
  restart(ref: WorkloadRef, mark: Mark, signal: AbortSignal): Promise<void>;
  podsOf(workload: Workload, signal: AbortSignal): Promise<readonly V1Pod[]>;
  /** Resolves when the workload changed after the version that was read, or when it is worth looking again. */
  changed(ref: WorkloadRef, workload: Workload, signal: AbortSignal): Promise<void>;
}

const CALL_WITHIN_MS = 15_000;
/** So long a watch lives without news. */
const WATCH_SECONDS = 30;
const FIELD_MANAGER = 'twinkey-agent';

export function clusterOf(config: KubeConfig, namespace: string): Cluster {
  const core = config.makeApiClient(CoreV1Api);
  const apps = config.makeApiClient(AppsV1Api);
  const watch = new Watch(config);
  return {
    async readSecret(name, signal) {
      try {
        return await core.readNamespacedSecret({ namespace, name }, limited(signal));
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw fault(error, `get Secret ${name}`);
      }
    },
    async createSecret(body, signal) {
      await calling(`create Secret ${body.metadata?.name ?? ''}`, () =>
        core.createNamespacedSecret({ namespace, body, fieldManager: FIELD_MANAGER }, limited(signal)),
      );
    },
    async patchSecret(name, body, signal) {
      await calling(`patch Secret ${name}`, () =>
        core.patchNamespacedSecret({ namespace, name, body, fieldManager: FIELD_MANAGER }, merging(signal)),
      );
    },
    readWorkload: ({ kind, name }, signal) =>
      calling(`get ${kind} ${name}`, async (): Promise<Workload> => {
        const options = limited(signal);
        switch (kind) {
          case 'deployment':
            return { kind, object: await apps.readNamespacedDeployment({ namespace, name }, options) };
          case 'statefulset':
            return { kind, object: await apps.readNamespacedStatefulSet({ namespace, name }, options) };
          case 'daemonset':
            return { kind, object: await apps.readNamespacedDaemonSet({ namespace, name }, options) };
        }
      }),
    async restart({ kind, name }, { annotation, value }, signal) {
      const body = { spec: { template: { metadata: { annotations: { [annotation]: value } } } } };
      const request = { namespace, name, body, fieldManager: FIELD_MANAGER };
      await calling(`patch ${kind} ${name}`, async () => {
        const options = merging(signal);
        switch (kind) {
          case 'deployment':
            return apps.patchNamespacedDeployment(request, options);
          case 'statefulset':
            return apps.patchNamespacedStatefulSet(request, options);
          case 'daemonset':
            return apps.patchNamespacedDaemonSet(request, options);
        }
      });
    },
    async podsOf({ object }, signal) {
      const labelSelector = selectorOf(object.spec?.selector);
      const { items } = await calling('list pods', () =>
        core.listNamespacedPod({ namespace, labelSelector }, limited(signal)),
      );
      return items;
    },
    changed: ({ kind, name }, { object }, signal) => {
      const path = `/apis/apps/v1/namespaces/${namespace}/${kind}s`;
      const query = {
        fieldSelector: `metadata.name=${name}`,
        resourceVersion: object.metadata?.resourceVersion,
        timeoutSeconds: WATCH_SECONDS,
      };
      return firstNews(watch, path, query, signal, `watch ${kind} ${name}`);
    },
  };
}

type Query = Parameters<Watch['watch']>[1];

/**
 * One event is enough: whoever waits reads the workload anew. So a watch that ends, and a version that is too old to watch
 * from (410 Gone, as a status or as an event), are news like any other.
 */
async function firstNews(
  watch: Watch,
  path: string,
  query: Query,
  signal: AbortSignal,
  what: string,
): Promise<void> {
  let end: (error?: unknown) => void = () => undefined;
  const news = new Promise<unknown>((resolve) => (end = resolve));
  const stop = (): void => {
    end();
  };
  signal.addEventListener('abort', stop);
  const controller = await watch.watch(path, query, stop, end);
  try {
    const error = await news;
    if (error === undefined || error === null || signal.aborted) return;
    const status: unknown = Reflect.get(Object(error), 'statusCode');
    if (status === 410) return;
    throw fault(error, what);
  } finally {
    signal.removeEventListener('abort', stop);
    controller.abort();
  }
}

function selectorOf(
  selector: { matchLabels?: Record<string, string>; matchExpressions?: readonly Expression[] } = {},
): string {
  const labels = Object.entries(selector.matchLabels ?? {}).map(([label, value]) => `${label}=${value}`);
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`;
  });
  return [...labels, ...expressions].join(',');
}

interface Expression {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

type Middleware = ReturnType<typeof setHeaderMiddleware>;

/** The client has no time limits of its own. */
function withLimit(header: Middleware, signal: AbortSignal): { middleware: Middleware[] } {
  const limit: Middleware = {
    pre: (context) => {
      context.setSignal(AbortSignal.any([signal, AbortSignal.timeout(CALL_WITHIN_MS)]));
      return header.pre(context);
    },
    post: (context) => header.post(context),
  };
  return { middleware: [limit] };
}

const limited = (signal: AbortSignal): { middleware: Middleware[] } =>
  withLimit(setHeaderMiddleware('Accept', 'application/json'), signal);

const merging = (signal: AbortSignal): { middleware: Middleware[] } =>
  withLimit(setHeaderMiddleware('Content-Type', PatchStrategy.StrategicMergePatch), signal);

async function calling<Result>(what: string, call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    throw fault(error, what);
  }
}

function statusOf(error: unknown): number | undefined {
  if (error instanceof ApiException) return error.code;
  const status: unknown = Reflect.get(Object(error), 'statusCode');
  return typeof status === 'number' ? status : undefined;
}

/** Never the message of the client or the server: it repeats bodies, and one of them holds keys. */
function fault(error: unknown, what: string): Error {
  const status = statusOf(error);
  switch (status) {
    case undefined:
      return withoutAnswer(error, what);
    case 401:
      return new Refused(`Kubernetes does not know who the agent is (${what})`);
    case 403:
      return new Refused(`Kubernetes forbids the agent to ${what}; its Role needs that`);
    case 404:
      return new Refused(`Kubernetes has nothing of that name: ${what}`);
    case 409:
      return new Conflict(what);
    default:
      return status === 429 || status >= 500
        ? new Unavailable(`Kubernetes answers ${status}: ${what}`)
        : new Refused(`Kubernetes refuses to ${what} (${status})`);
  }
}

/** The network, or the client itself: that does not get better by waiting. */
function withoutAnswer(error: unknown, what: string): Error {
  const { name } = error instanceof Error ? error : new Error();
  const isNetwork =
    typeof Reflect.get(Object(error), 'code') === 'string' || /^(Abort|Timeout|Fetch)Error$/.test(name);
  if (isNetwork) return new Unavailable(`Kubernetes does not answer: ${what} (${codeOf(error)})`);
  return new Refused(`the client of Kubernetes fails to ${what} (${name})`, { cause: error });
}
