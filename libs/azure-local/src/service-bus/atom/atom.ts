import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { VerifyToken } from '../authorization.js';
import { normal, type Broker, type Entity } from '../state/broker.js';
import { subQueueOf } from '../state/names.js';
import { asRefused, entityNotFound, invalidArgument, notImplemented, unauthorized } from '../errors.js';
import {
  describeNamespace,
  describeQueue,
  describeRule,
  describeSubscription,
  describeTopic,
} from './describe.js';
import { checkImmutable, clearedByUpdate, queueSettings, ruleOf, topicSettings } from './settings.js';
import { child, descendant, escapeXml, parseXml, XmlError, type XmlElement } from './xml.js';

export interface AtomSettings {
  readonly broker: Broker;
  readonly namespace: string;
  readonly verify: VerifyToken;
  readonly now: () => number;
  readonly whenDurable: (then: () => void) => void;
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly isUpdate: boolean;
  readonly body: string;
  readonly skip: number;
  readonly top: number;
  readonly base: string;
}

type Answer = { readonly status: number; readonly body: string };

const LARGEST_BODY_BYTES = 1_048_576;
const LARGEST_PAGE = 100;

/** The management API: HTTP with ATOM, as `ServiceBusAdministrationClient` speaks it. */
export function atomHandler(settings: AtomSettings): RequestListener {
  settings.broker.createdAt ??= settings.now();
  return (request, response) => {
    serve(settings, request)
      .catch((error: unknown) => errorAnswer(error))
      .then(
        (answer) => {
          settings.whenDurable(() => {
            send(response, answer);
          });
        },
        () => response.destroy(),
      );
  };
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/atom+xml;type=entry;charset=utf-8' });
  response.end(body);
}

async function serve(settings: AtomSettings, request: IncomingMessage): Promise<Answer> {
  const host = request.headers.host ?? '127.0.0.1';
  const { url, path } = placeOf(request.url ?? '/', host);
  await authorize(settings, request, `https://${host}/${path}`, path);
  const call: Call = {
    method: request.method ?? 'GET',
    path,
    isUpdate: request.headers['if-match'] === '*',
    body: await bodyOf(request),
    skip: count(url, '$skip', 0),
    top: Math.min(count(url, '$top', LARGEST_PAGE), LARGEST_PAGE),
    base: `https://${host}`,
  };
  settings.broker.advance(settings.now());
  return answer(settings, call);
}

function placeOf(text: string, host: string): { readonly url: URL; readonly path: string } {
  try {
    const url = new URL(text, `http://${host}`);
    return { url, path: decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, '') };
  } catch {
    throw invalidArgument('The address or the Host header of the request is malformed');
  }
}

function count(url: URL, name: string, otherwise: number): number {
  const text = url.searchParams.get(name);
  if (text === null || text === '') return otherwise;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw invalidArgument(`The value '${text}' of ${name} is not a whole number from zero on`);
  return value;
}

async function authorize(
  { verify }: AtomSettings,
  request: IncomingMessage,
  audience: string,
  entity: string,
): Promise<void> {
  const header = request.headers.authorization;
  if (header === undefined) throw unauthorized('The request carries no authorization header');
  const bearer = /^Bearer\s+(.+)$/i.exec(header)?.[1];
  const verdict = await verify({
    kind: bearer === undefined ? 'sas' : 'jwt',
    text: bearer ?? header,
    audience,
    entity,
    need: 'Manage',
  });
  if ('refused' in verdict) throw unauthorized(verdict.refused);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size > LARGEST_BODY_BYTES) throw invalidArgument('The request body is too large');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function errorAnswer(error: unknown): Answer {
  const refused = error instanceof XmlError ? invalidArgument(error.message) : asRefused(error);
  const subCode = refused.status === 409 ? ' SubCode=40900.' : '';
  return {
    status: refused.status,
    body: `<Error><Code>${refused.status}</Code><Detail>${escapeXml(refused.description)}.${subCode}</Detail></Error>`,
  };
}

const RULE = /^(.+)\/subscriptions\/([^/]+)\/rules\/([^/]+)$/i;
const RULES = /^(.+)\/subscriptions\/([^/]+)\/rules$/i;
const SUBSCRIPTION = /^(.+)\/subscriptions\/([^/]+)$/i;
const SUBSCRIPTIONS = /^(.+)\/subscriptions$/i;

function answer(settings: AtomSettings, call: Call): Answer {
  const { path } = call;
  if (/^\$namespaceinfo$/i.test(path))
    return entry(
      call,
      settings.namespace,
      describeNamespace(settings.namespace, settings.broker.createdAt ?? settings.now()),
      200,
    );
  if (/^\$resources\//i.test(path)) return listEntities(settings, call);
  const rule = RULE.exec(path);
  if (rule !== null) return onRule(settings, call, part(rule, 1), part(rule, 2), part(rule, 3));
  const rules = RULES.exec(path);
  if (rules !== null) return listRules(settings, call, part(rules, 1), part(rules, 2));
  const subscription = SUBSCRIPTION.exec(path);
  if (subscription !== null)
    return onSubscription(settings, call, part(subscription, 1), part(subscription, 2));
  const subscriptions = SUBSCRIPTIONS.exec(path);
  if (subscriptions !== null) return listSubscriptions(settings, call, part(subscriptions, 1));
  return onEntity(settings, call);
}

function part(match: RegExpExecArray, index: number): string {
  return match[index] ?? '';
}

interface Item {
  readonly path: string;
  readonly xml: string;
}

const ATOM = 'xmlns="http://www.w3.org/2005/Atom"';

function entryXml(call: Call, { path, xml }: Item, attributes: string): string {
  const title = path.slice(path.lastIndexOf('/') + 1);
  return `<entry ${attributes}><id>${escapeXml(`${call.base}/${path}`)}</id><title type="text">${escapeXml(title)}</title><author><name>local</name></author><content type="application/xml">${xml}</content></entry>`;
}

function entry(call: Call, path: string, xml: string, status: 200 | 201): Answer {
  return { status, body: entryXml(call, { path, xml }, ATOM) };
}

/** Two links at least: of one alone the SDK makes something that is no list. */
function feed(call: Call, items: readonly Item[]): Answer {
  const page = items.slice(call.skip, call.skip + call.top);
  const url = `${call.base}/${call.path}`;
  const next =
    call.skip + page.length < items.length
      ? `<link rel="next" href="${escapeXml(`${url}?api-version=2021-05&$skip=${call.skip + page.length}&$top=${call.top}`)}"/>`
      : '';
  const entries = page.map((item) => entryXml(call, item, '')).join('');
  return {
    status: 200,
    body: `<feed ${ATOM}><title type="text">${escapeXml(call.path)}</title><id>${escapeXml(url)}</id><link rel="self" href="${escapeXml(url)}"/>${next}${entries}</feed>`,
  };
}

/** What is not there is an empty feed, not an error: the SDK's `exists` relies on it. */
const nothingThere = (call: Call): Answer => feed(call, []);
const deleted: Answer = { status: 200, body: '' };

function listEntities({ broker }: AtomSettings, call: Call): Answer {
  if (/\/queues$/i.test(call.path))
    return feed(
      call,
      broker.allQueues.map((q) => ({ path: q.path, xml: describeQueue(q, call.base) })),
    );
  if (/\/topics$/i.test(call.path))
    return feed(
      call,
      broker.allTopics.map((t) => ({ path: t.path, xml: describeTopic(t) })),
    );
  throw notImplemented(call.path);
}

function description(body: string, ...names: readonly string[]): XmlElement {
  const xml = body === '' ? undefined : parseXml(body);
  for (const name of names) {
    const found = xml && descendant(xml, name);
    if (found !== undefined) return found;
  }
  throw invalidArgument(`The request body holds no ${names.join(' and no ')}`);
}

function onEntity(settings: AtomSettings, call: Call): Answer {
  const { broker } = settings;
  const { path, base } = call;
  // Dead letters are a part of their queue, not an entity.
  if (subQueueOf(normal(path)) !== undefined) throw entityNotFound(path);
  const entity = broker.find(path);
  switch (call.method) {
    case 'GET':
      if (entity === undefined) return nothingThere(call);
      return entity.kind === 'queue'
        ? entry(call, entity.queue.path, describeQueue(entity.queue, base), 200)
        : entry(call, entity.topic.path, describeTopic(entity.topic), 200);
    case 'DELETE':
      broker.delete(path);
      return deleted;
    case 'PUT': {
      if (call.isUpdate && entity === undefined) throw entityNotFound(path);
      const element = description(call.body, 'QueueDescription', 'TopicDescription');
      const kind = element.name === 'TopicDescription' ? 'topic' : 'queue';
      if (!call.isUpdate || entity === undefined) return create(settings, call, element, kind);
      if (entity.kind !== kind)
        throw invalidArgument(`'${path}' is a ${entity.kind} and cannot become a ${kind}`);
      return update(settings, call, element, entity);
    }
    default:
      throw notImplemented(call.method);
  }
}

function create(
  { broker, now }: AtomSettings,
  call: Call,
  element: XmlElement,
  kind: Entity['kind'],
): Answer {
  const { path, base } = call;
  if (kind === 'topic')
    return entry(
      call,
      path,
      describeTopic(broker.createTopic(path, topicSettings(element, now()), now())),
      201,
    );
  const settings = queueSettings(element, now());
  checkForwards(broker, settings);
  return entry(call, path, describeQueue(broker.createQueue(path, settings, now()), base), 201);
}

function update({ broker, now }: AtomSettings, call: Call, element: XmlElement, entity: Entity): Answer {
  checkImmutable(element);
  if (entity.kind === 'topic') {
    const { topic } = entity;
    const settings = topicSettings(element, now());
    broker.updateTopic(topic, { ...topic.settings, userMetadata: undefined, ...settings }, now());
    return entry(call, call.path, describeTopic(topic), 200);
  }
  const { queue } = entity;
  const settings = queueSettings(element, now());
  checkForwards(broker, settings);
  broker.updateQueue(queue, { ...queue.settings, ...clearedByUpdate, ...settings }, now());
  return entry(call, call.path, describeQueue(queue, call.base), 200);
}

function checkForwards(
  broker: Broker,
  settings: { forwardTo?: string | undefined; forwardDeadLettersTo?: string | undefined },
): void {
  for (const target of [settings.forwardTo, settings.forwardDeadLettersTo])
    if (target !== undefined && broker.find(target) === undefined)
      throw invalidArgument(`The entity '${target}' to forward to does not exist`);
}

function listSubscriptions({ broker }: AtomSettings, call: Call, topic: string): Answer {
  const entity = broker.find(topic);
  if (entity?.kind !== 'topic') throw entityNotFound(topic);
  const all = [...entity.topic.subscriptions.values()].map(({ queue }) => queue);
  all.sort((a, b) => (a.path < b.path ? -1 : 1));
  return feed(
    call,
    all.map((q) => ({ path: q.path, xml: describeSubscription(q, call.base) })),
  );
}

function onSubscription({ broker, now }: AtomSettings, call: Call, topic: string, name: string): Answer {
  const existing = broker.subscription(call.path);
  switch (call.method) {
    case 'GET':
      return existing === undefined
        ? nothingThere(call)
        : entry(call, existing.queue.path, describeSubscription(existing.queue, call.base), 200);
    case 'DELETE':
      broker.delete(call.path);
      return deleted;
    case 'PUT': {
      const element = description(call.body, 'SubscriptionDescription');
      const settings = queueSettings(element, now());
      checkForwards(broker, settings);
      if (call.isUpdate) {
        if (existing === undefined) throw entityNotFound(call.path);
        const { queue } = existing;
        broker.updateQueue(queue, { ...queue.settings, ...clearedByUpdate, ...settings }, now());
        return entry(call, existing.queue.path, describeSubscription(existing.queue, call.base), 200);
      }
      const rule = child(element, 'DefaultRuleDescription');
      const { queue } = broker.createSubscription(topic, name, settings, rule && ruleOf(rule), now());
      return entry(call, queue.path, describeSubscription(queue, call.base), 201);
    }
    default:
      throw notImplemented(call.method);
  }
}

function listRules({ broker }: AtomSettings, call: Call, topic: string, name: string): Answer {
  const subscription = broker.subscription(`${topic}/subscriptions/${name}`);
  if (subscription === undefined) throw entityNotFound(call.path);
  const path = `${subscription.queue.path}/Rules`;
  return feed(
    call,
    subscription.listRules().map((rule) => ({ path: `${path}/${rule.name}`, xml: describeRule(rule) })),
  );
}

function onRule(
  { broker, now }: AtomSettings,
  call: Call,
  topic: string,
  name: string,
  ruleName: string,
): Answer {
  const subscription = broker.subscription(`${topic}/subscriptions/${name}`);
  if (subscription === undefined) throw entityNotFound(call.path);
  const { path } = subscription.queue;
  switch (call.method) {
    case 'GET': {
      const found = subscription.rules.get(ruleName.toLowerCase())?.rule;
      return found === undefined
        ? nothingThere(call)
        : entry(call, `${path}/Rules/${found.name}`, describeRule(found), 200);
    }
    case 'DELETE':
      subscription.removeRule(ruleName);
      broker.noteEntity(path);
      return deleted;
    case 'PUT': {
      const rule = { ...ruleOf(description(call.body, 'RuleDescription'), ruleName), createdAt: now() };
      if (call.isUpdate) subscription.replaceRule(rule);
      else subscription.addRule(rule);
      broker.noteEntity(path);
      return entry(call, `${path}/Rules/${rule.name}`, describeRule(rule), call.isUpdate ? 200 : 201);
    }
    default:
      throw notImplemented(call.method);
  }
}
