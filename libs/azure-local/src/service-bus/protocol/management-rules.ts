import {
  bool,
  described,
  double,
  fullList,
  int,
  list,
  map,
  nothing,
  string,
  stringMap,
  timestamp,
  ulong,
  type Put,
} from '../amqp/put.js';
import { AmqpMap, textOf } from '../amqp/reader.js';
import { invalidArgument, notAllowed } from '../errors.js';
import { CORRELATION_FIELDS, type CorrelationFilter } from '../state/rules/correlation.js';
import type { Rule, RuleValue, SqlFilter } from '../state/rules/rule.js';
import type { Subscription } from '../state/topic.js';
import { NO_CONTENT, OK, type Reply } from './replies.js';
import { number, type Request } from './request.js';

// The descriptors that the SDKs know; they differ in their number of zeros.
const RULE = 0x137_0000_0004;
const SQL_FILTER = 0x13_7000_0006;
const TRUE_FILTER = 0x13_7000_0007;
const FALSE_FILTER = 0x13_7000_0008;
const CORRELATION_FILTER = 0x13_7000_0009;
const EMPTY_ACTION = 0x137_0000_0005;
const SQL_ACTION = 0x137_0000_0006;
const COMPATIBILITY_LEVEL = 20;

function subscriptionOf({ broker, address }: Request): Subscription {
  const subscription = broker.subscription(address);
  if (subscription === undefined) throw notAllowed('Only subscriptions have rules');
  return subscription;
}

function nameOf(body: AmqpMap): string {
  const name = body.get('rule-name');
  if (typeof name !== 'string' || name === '') throw invalidArgument("'rule-name' is missing");
  return name;
}

export function addRule(request: Request): Reply {
  const { body, broker, now } = request;
  const subscription = subscriptionOf(request);
  const description = body.get('rule-description');
  if (!(description instanceof AmqpMap)) throw invalidArgument("'rule-description' is missing");
  const action = description.get('sql-rule-action');
  const expression = action instanceof AmqpMap ? action.get('expression') : null;
  subscription.addRule({
    name: nameOf(body),
    filter: filterOf(description),
    ...(typeof expression === 'string' && { action: { expression } }),
    createdAt: now,
  });
  broker.noteEntity(subscription.queue.path);
  return OK;
}

function filterOf(description: AmqpMap): SqlFilter | CorrelationFilter {
  const sql = description.get('sql-filter');
  if (sql instanceof AmqpMap) return { kind: 'sql', expression: textOf(sql.get('expression')) };
  const correlation = description.get('correlation-filter');
  if (!(correlation instanceof AmqpMap)) throw invalidArgument('A rule needs an SQL or a correlation filter');
  const fields: Record<string, unknown> = {};
  for (const [field, , wire] of CORRELATION_FIELDS) {
    const value = correlation.get(wire);
    if (value !== null) fields[field] = value;
  }
  const properties = correlation.get('properties');
  const values: Record<string, RuleValue> = {};
  if (properties instanceof AmqpMap)
    for (const [name, value] of properties.entries()) if (isRuleValue(value)) values[textOf(name)] = value;
  return { kind: 'correlation', ...fields, ...(Object.keys(values).length > 0 && { properties: values }) };
}

function isRuleValue(value: unknown): value is RuleValue {
  return ['string', 'number', 'boolean'].includes(typeof value) || value instanceof Date;
}

export function removeRule(request: Request): Reply {
  const subscription = subscriptionOf(request);
  subscription.removeRule(nameOf(request.body));
  request.broker.noteEntity(subscription.queue.path);
  return OK;
}

export function enumerateRules(request: Request): Reply {
  const skip = number(request.body, 'skip', 0);
  const top = number(request.body, 'top', 100);
  const rules = subscriptionOf(request)
    .listRules()
    .slice(skip, skip + top);
  if (rules.length === 0) return NO_CONTENT;
  const described = rules.map((rule) => stringMap({ 'rule-description': describe(rule) }));
  return { ...OK, body: stringMap({ rules: list(described) }) };
}

const tagged = (descriptor: number, fields: readonly Put[]): Put =>
  described(ulong(descriptor), fullList(fields));

function describe({ filter, action, name, createdAt }: Rule): Put {
  return tagged(RULE, [
    filter.kind === 'sql' ? describeSql(filter) : describeCorrelation(filter),
    action === undefined
      ? tagged(EMPTY_ACTION, [])
      : tagged(SQL_ACTION, [string(action.expression), int(COMPATIBILITY_LEVEL)]),
    string(name),
    timestamp(createdAt),
  ]);
}

function describeSql({ expression }: SqlFilter): Put {
  const plain = expression.replaceAll(' ', '');
  if (plain === '1=1') return tagged(TRUE_FILTER, []);
  if (plain === '1=0') return tagged(FALSE_FILTER, []);
  return tagged(SQL_FILTER, [string(expression), int(COMPATIBILITY_LEVEL)]);
}

function describeCorrelation(filter: CorrelationFilter): Put {
  const fields = CORRELATION_FIELDS.map(([field]) => {
    const value = filter[field];
    return value === undefined ? nothing : string(value);
  });
  // Always a map: the SDK reads it without looking.
  const properties = Object.entries(filter.properties ?? {}).map(
    ([name, value]) => [string(name), putValue(value)] as const,
  );
  return tagged(CORRELATION_FILTER, [...fields, map(properties)]);
}

function putValue(value: RuleValue): Put {
  if (typeof value === 'string') return string(value);
  if (typeof value === 'boolean') return bool(value);
  if (value instanceof Date) return timestamp(value.getTime());
  return Number.isInteger(value) && Math.abs(value) < 0x8000_0000 ? int(value) : double(value);
}
