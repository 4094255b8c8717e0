// docs/reference/messages.md: every message that travels, from the schemas that check it, the comments above them and
// the golden samples.
import { z } from 'zod';
import * as contracts from '../../libs/contracts/dist/index.js';
import { docsIn, MESSAGES, samples, SAMPLES_FOLDER, sentence, sentenceAbove } from './contract-texts.mjs';
import { fieldsOf } from './json-schema.mjs';
import { readSource } from './sources.mjs';

const OVER_HTTP = [
  ['RegisterRequest', '`POST /v1/instances`'],
  ['RegisterAnswer', 'Answer 201'],
  [
    'HeartbeatRequest',
    '`POST /v1/instances/{instance}/heartbeat`; 410 `unknown-instance` means: register again',
  ],
  ['HeartbeatAnswer', 'Answer 200'],
];

export function messagesPage() {
  const { queues, topics } = contracts.topology({ shards: 1 });
  const { lockDuration, maxDeliveryCount, duplicateDetectionWindow, timeToLive } = contracts.ENTITY_DEFAULTS;
  return [
    '# Messages',
    '',
    '<!-- Generated from libs/contracts by tools/docs/generate.mjs. -->',
    '',
    'Messages are CloudEvents 1.0 in structured JSON on Service Bus. Each only says "look again": it may be lost, doubled,',
    'delayed, reordered or replayed with no effect but delay. No message carries a key. Inside `.v1` a type only grows;',
    'readers ignore fields that they do not know. The same for programs: [asyncapi.json](asyncapi.json) (AsyncAPI 3.0).',
    '',
    '| field of the envelope | |',
    '| --- | --- |',
    '| `specversion` | `1.0` |',
    '| `id` | also the message id on the bus; derived from what the message means, so that saying it twice gives one id |',
    '| `source` | `twinkey/` and the service |',
    '| `type` | as in the headings below |',
    '| `subject` | the name of the account |',
    '| `time` | when it was written |',
    '| `traceparent` | W3C trace context, optional |',
    '| `data` | as in the tables below |',
    '',
    '## Queues and topics',
    '',
    `Lock ${lockDuration}, ${maxDeliveryCount} deliveries, duplicate detection ${duplicateDetectionWindow}, time to live ${timeToLive}, then a dead letter.`,
    '',
    '| entity | from | to |',
    '| --- | --- | --- |',
    ...queues.map(({ name, from, to }) => `| queue \`${name}\` | ${from} | ${to} |`),
    ...topics.map(
      ({ name, from, subscriptions }) =>
        `| topic \`${shardless(name)}\` | ${from} | ${subscriptions.join(', ') || 'one subscription per consumer instance'} |`,
    ),
    '',
    ...MESSAGES.flatMap(([name, file]) => messageSection(name, `libs/contracts/src/${file}`)),
    '## Registration over HTTP',
    '',
    'What an instance of a consumer and the notifier say to each other; `@twinkey/consumer` does it for its users.',
    '',
    ...OVER_HTTP.flatMap(([name, where]) => [
      `### ${name}`,
      '',
      `${where}.`,
      '',
      ...table(
        schemaOf(contracts[name]),
        docsForTable(readSource('libs/contracts/src/registration.ts'), name),
      ),
      '',
    ]),
  ].join('\n');
}

/** `key-changed-0` is one of as many as there are shards. */
function shardless(name) {
  return name.replace(/-0$/, '-<shard>');
}

function messageSection(name, path) {
  const { type, data } = contracts[name];
  const source = readSource(path);
  const schema = schemaOf(data);
  const docs = docsForTable(source, name);
  const nested = schema.properties?.what;
  const kinds = schema.oneOf ?? nested?.oneOf ?? [];
  return [
    `## \`${type.replace('com.twinkey.', '')}\``,
    '',
    sentenceAbove(source, name),
    '',
    ...(schema.properties ? [...table(schema, docs), ''] : []),
    ...kinds.flatMap((kind) => kindSection(kind, nested ? 'data.what' : 'data', source)),
    ...(kinds.length > 0 ? [] : sampleOf(type)),
  ];

  function kindSection(kind, place, text) {
    const [tag] = ['event', 'command'].filter((each) => kind.properties[each]?.const);
    const value = kind.properties[tag].const;
    const [, comment] =
      new RegExp(`/\\*\\*([^*]+)\\*/\\s*z\\.object\\(\\{\\s*${tag}: z\\.literal\\('${value}'`).exec(text) ??
      [];
    return [
      `### \`${place}.${tag}\`: \`${value}\``,
      '',
      ...(comment === undefined ? [] : [sentence(comment), '']),
      ...table(kind, docs),
      '',
      ...sampleOf(type, value),
    ];
  }
}

function schemaOf(schema) {
  return z.toJSONSchema(schema, { io: 'input' });
}

function table(schema, docs) {
  return [
    '| field | type | |',
    '| --- | --- | --- |',
    ...fieldsOf(schema).map(({ path, name, type, required }) => {
      const notes = [
        ...(required ? [] : ['Optional.']),
        ...(path === name && docs[name] ? [docs[name]] : []),
      ];
      return `| \`${path}\` | ${type} | ${notes.join(' ')} |`;
    }),
  ];
}

/** The data of the first golden sample of its kind. */
function sampleOf(type, kind) {
  const found = samples.find(
    ({ body }) =>
      body.type === type && (kind === undefined || (body.data.what?.event ?? body.data.command) === kind),
  );
  if (found === undefined) throw new Error(`no golden sample of ${type} ${kind ?? ''}`);
  return [
    `[${found.file}](../../${SAMPLES_FOLDER}/${found.file}):`,
    '',
    '```json',
    JSON.stringify(found.body.data, null, 2),
    '```',
    '',
  ];
}

function docsForTable(source, name) {
  return Object.fromEntries(
    Object.entries(docsIn(source, name)).map(([field, text]) => [field, text.replaceAll('|', '\\|')]),
  );
}
