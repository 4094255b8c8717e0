// As much of the API of Kubernetes as the agent meets: objects with resource versions and generations, strategic merges of
// maps, watches, and the ways in which all that fails. Controllers and people are played by the spec.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

type Json = Record<string, unknown>;

export interface Stored {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly generation?: number;
    readonly annotations?: Record<string, string>;
    readonly labels?: Record<string, string>;
  };
  readonly spec?: Json;
  readonly status?: Json;
  readonly data?: Record<string, string>;
}

export interface Request {
  /** `patch secrets/keys` */
  readonly what: string;
  readonly body: string;
}

/** Of a Role. */
export interface Rule {
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

const TOKEN = 'token-of-the-agent';
const NAMESPACE = 'shop';
/** These have a spec, and a generation that counts its changes. */
const WITH_SPEC: ReadonlySet<string> = new Set(['deployments', 'statefulsets', 'daemonsets']);

export class ApiStub {
  readonly requests: Request[] = [];
  /** `patch secrets`: answered with 403. */
  readonly forbidden = new Set<string>();
  /** If there are rules, whatever none of them allows is answered with 403; each rule that did is kept in `used`. */
  rules: readonly Rule[] | undefined;
  readonly used = new Set<Rule>();
  /** Answers for the next requests of a kind, in their order; taken away when given. */
  readonly failures: { readonly what: string; readonly status: number; readonly body?: Json }[] = [];
  /** Called before a request is carried out: somebody else may be faster. */
  before: (what: string) => void = () => undefined;
  readonly #objects = new Map<string, Stored>();
  readonly #watches = new Set<{
    readonly place: string;
    readonly name: string;
    readonly response: ServerResponse;
  }>();
  readonly #server: Server;
  #version = 100;
  /** Watches from before this version are too late. */
  #compacted = 0;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<ApiStub> {
    const stub = new ApiStub();
    await new Promise<void>((resolve) => stub.#server.listen(0, '127.0.0.1', resolve));
    return stub;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** A kubeconfig for this server. */
  kubeconfig(token = TOKEN): string {
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'stub', cluster: { server: this.url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'agent', user: { token } }],
      contexts: [{ name: 'stub', context: { cluster: 'stub', user: 'agent', namespace: NAMESPACE } }],
      'current-context': 'stub',
    });
  }

  get watching(): number {
    return this.#watches.size;
  }

  /** `secrets/keys` */
  get(place: string): Stored | undefined {
    return this.#objects.get(place);
  }

  find(prefix: string): readonly Stored[] {
    return [...this.#objects].filter(([place]) => place.startsWith(`${prefix}/`)).map(([, object]) => object);
  }

  /** Makes or changes an object as a controller or a person would; `null` takes a field away. */
  change(place: string, change: Json): void {
    const [plural = '', name = ''] = place.split('/');
    const before = this.#objects.get(place);
    const merged = merge(before ?? {}, change) as Partial<Stored>;
    const isNewSpec = WITH_SPEC.has(plural) && JSON.stringify(merged.spec) !== JSON.stringify(before?.spec);
    const generation = (before?.metadata.generation ?? 0) + (isNewSpec ? 1 : 0);
    this.#version += 1;
    const object: Stored = {
      ...merged,
      metadata: {
        ...merged.metadata,
        name,
        resourceVersion: String(this.#version),
        ...(generation > 0 ? { generation } : {}),
      },
    };
    this.#objects.set(place, object);
    this.#tell(plural, { type: before === undefined ? 'ADDED' : 'MODIFIED', object });
  }

  remove(place: string): void {
    this.#objects.delete(place);
  }

  /** Forgets the past: who watches from before now is told 410 Gone. */
  compact(): void {
    this.#version += 1;
    this.#compacted = this.#version;
  }

  /** Watches learn that their version is gone, in an event, and end. */
  expireWatches(): void {
    for (const { response } of this.#watches) {
      const object = { kind: 'Status', status: 'Failure', reason: 'Expired', code: 410 };
      response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
    }
  }

  /** Watches end, as those do that nobody needs for a while. */
  endWatches(): void {
    for (const { response } of this.#watches) response.end();
  }

  #isAllowed(verb: string, plural: string, name: string | undefined): boolean {
    if (this.rules === undefined) return true;
    const rule = this.rules.find(
      ({ resources, resourceNames, verbs }) =>
        resources.includes(plural) &&
        verbs.includes(verb) &&
        (resourceNames === undefined || (name !== undefined && resourceNames.includes(name))),
    );
    if (rule !== undefined) this.used.add(rule);
    return rule !== undefined;
  }

  #tell(plural: string, event: { readonly type: string; readonly object: Stored }): void {
    for (const { place, name, response } of this.#watches) {
      if (place === plural && name === event.object.metadata.name)
        response.write(`${JSON.stringify(event)}\n`);
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const url = new URL(request.url ?? '/', this.url);
    const [, plural = '', name] =
      new RegExp(`^/(?:api/v1|apis/apps/v1)/namespaces/${NAMESPACE}/([a-z]+)(?:/([^/]+))?$`).exec(
        url.pathname,
      ) ?? [];
    const isWatch = url.searchParams.get('watch') === 'true';
    const verb = verbOf(request.method ?? '', name, isWatch);
    const what = `${verb} ${plural}`;
    this.requests.push({ what: name === undefined ? what : `${what}/${name}`, body });
    const say = (status: number, value: object): void => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
    };
    const fail = (status: number, reason: string, more: Json = {}): void => {
      // Kubernetes repeats what it does not like; what the agent says of it must not.
      say(status, {
        kind: 'Status',
        status: 'Failure',
        reason,
        code: status,
        message: `${reason}: ${body}`,
        ...more,
      });
    };
    if (request.headers.authorization !== `Bearer ${TOKEN}`) {
      fail(401, 'Unauthorized');
      return;
    }
    const isAllowed = this.#isAllowed(
      verb,
      plural,
      name ?? url.searchParams.get('fieldSelector')?.split('=')[1],
    );
    if (!isAllowed || this.forbidden.has(what)) {
      fail(403, 'Forbidden');
      return;
    }
    const failing = this.failures.findIndex((each) => each.what === what);
    const [failure] = failing < 0 ? [] : this.failures.splice(failing, 1);
    if (failure !== undefined) {
      fail(failure.status, 'InternalError', failure.body);
      return;
    }
    this.before(what);
    const place = `${plural}/${name ?? ''}`;
    const known = this.#objects.get(place);
    switch (verb) {
      case 'watch':
        this.#watch(url, plural, response, fail);
        return;
      case 'list': {
        const selector = url.searchParams.get('labelSelector') ?? '';
        say(200, {
          kind: 'List',
          metadata: {},
          items: this.find(plural).filter((each) => isSelected(each, selector)),
        });
        return;
      }
      case 'create': {
        const made = JSON.parse(body) as Stored;
        if (this.#objects.has(`${plural}/${made.metadata.name}`)) {
          fail(409, 'AlreadyExists');
          return;
        }
        this.change(`${plural}/${made.metadata.name}`, made as unknown as Json);
        say(201, this.#objects.get(`${plural}/${made.metadata.name}`) ?? {});
        return;
      }
      case 'get':
        if (known === undefined) fail(404, 'NotFound');
        else say(200, known);
        return;
      default:
        this.#patch(place, known, { body, type: request.headers['content-type'] }, say, fail);
    }
  }

  #patch(
    place: string,
    known: Stored | undefined,
    { body, type }: { body: string; type: string | undefined },
    say: (status: number, value: object) => void,
    fail: (status: number, reason: string) => void,
  ): void {
    const change = JSON.parse(body) as Json & { metadata?: { resourceVersion?: string } };
    const expected = change.metadata?.resourceVersion;
    if (type !== 'application/strategic-merge-patch+json') fail(415, 'UnsupportedMediaType');
    else if (known === undefined) fail(404, 'NotFound');
    else if (expected !== undefined && expected !== known.metadata.resourceVersion) fail(409, 'Conflict');
    else {
      this.change(place, change);
      say(200, this.#objects.get(place) ?? {});
    }
  }

  #watch(
    url: URL,
    plural: string,
    response: ServerResponse,
    fail: (status: number, reason: string) => void,
  ): void {
    const since = Number(url.searchParams.get('resourceVersion'));
    if (since < this.#compacted) {
      fail(410, 'Expired');
      return;
    }
    const name = (url.searchParams.get('fieldSelector') ?? '').replace('metadata.name=', '');
    const watch = { place: plural, name, response };
    this.#watches.add(watch);
    response.once('close', () => this.#watches.delete(watch));
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.flushHeaders();
    const object = this.#objects.get(`${plural}/${name}`);
    // What happened between the reading and the watch comes first.
    if (object !== undefined && Number(object.metadata.resourceVersion) > since)
      response.write(`${JSON.stringify({ type: 'MODIFIED', object })}\n`);
  }
}

function verbOf(method: string, name: string | undefined, isWatch: boolean): string {
  if (isWatch) return 'watch';
  if (method === 'GET') return name === undefined ? 'list' : 'get';
  return method === 'POST' ? 'create' : 'patch';
}

function isSelected({ metadata }: Stored, selector: string): boolean {
  return selector
    .split(',')
    .filter((each) => each !== '')
    .every((each) => {
      const [label = '', value] = each.split('=');
      return metadata.labels?.[label] === value;
    });
}

/** Maps are merged, everything else is replaced: what a strategic merge does to the fields that are used here. */
function merge(before: unknown, change: unknown): unknown {
  if (typeof change !== 'object' || change === null || Array.isArray(change)) return change;
  const merged: Json = typeof before === 'object' && before !== null ? { ...before } : {};
  for (const [field, value] of Object.entries(change)) {
    if (value === null) Reflect.deleteProperty(merged, field);
    else merged[field] = merge(merged[field], value);
  }
  return merged;
}
