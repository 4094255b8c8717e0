// Every operation of the notifier's HTTP API, once. The document is made from this list, and a spec holds it against
// the routes that really exist.
import {
  ConsumerName,
  HeartbeatAnswer,
  HeartbeatRequest,
  InstanceId,
  ReceiverAcknowledged,
  ReceiverAcknowledgement,
  RegisterAnswer,
  RegisterRequest,
} from '@twinkey/contracts';
import type { Operation } from '@twinkey/service';
import { z } from 'zod';
import * as answers from './answers.js';

const OfInstance = z.object({ instance: InstanceId.describe('From the answer to the registration.') });
const OfConsumer = z.object({ consumer: ConsumerName });
const OfAccount = z.object({ name: z.string().describe('The name of the account, or its ARM id.') });
const OfDelivery = OfConsumer.extend({ delivery: z.string().describe('Its number in the log.') });
const LogQuery = z.object({
  limit: z.int().min(1).max(200).default(20),
  delivery: z.int().optional().describe('Only this one.'),
});
const AskedBy = z.object({
  by: z.string().min(1).max(200).default('anyone').describe('Who asks, where no token says so.'),
});

const noWebhook = ['webhook-unknown'];
const noSuchInstance = ['unknown-instance'];
const notItself = ['another-identity'];
const accountUnclear = { 404: ['unknown-account'], 409: ['ambiguous-account'] };

export const OPERATIONS: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/instances',
    id: 'register',
    summary: 'Register an instance of a consumer; the same process twice is one instance',
    tag: 'instances',
    role: 'consumer',
    body: RegisterRequest,
    status: 201,
    answer: RegisterAnswer,
    problems: {
      400: ['invalid-request'],
      403: [
        'consumer-refused',
        'declared-as-receiver',
        'consumer-not-declared',
        'account-not-declared',
        'another-identity',
      ],
      404: accountUnclear[404],
      409: [...accountUnclear[409], 'stale-boot'],
    },
  },
  {
    method: 'post',
    path: '/v1/instances/{instance}/heartbeat',
    id: 'heartbeat',
    summary: 'Say that an instance lives and what it uses; the answer says what is published',
    tag: 'instances',
    role: 'consumer',
    params: OfInstance,
    body: HeartbeatRequest,
    status: 200,
    answer: HeartbeatAnswer,
    problems: {
      400: ['invalid-request'],
      403: notItself,
      409: ['stale-boot'],
      410: noSuchInstance,
    },
  },
  {
    method: 'delete',
    path: '/v1/instances/{instance}',
    id: 'leave',
    summary: 'Say goodbye: nobody waits for this instance any more',
    tag: 'instances',
    role: 'consumer',
    params: OfInstance,
    status: 204,
    problems: {
      400: ['invalid-request'],
      403: [...notItself, 'declared-as-receiver'],
      410: noSuchInstance,
    },
  },
  {
    method: 'post',
    path: '/v1/consumers/{consumer}/acknowledgements',
    id: 'acknowledge',
    summary: 'Say for a declared receiver which generation it uses',
    tag: 'receivers',
    role: 'consumer',
    params: OfConsumer,
    body: ReceiverAcknowledgement,
    status: 200,
    answer: ReceiverAcknowledged,
    problems: {
      400: ['invalid-request'],
      403: ['consumer-refused', 'account-not-declared'],
      404: accountUnclear[404],
      409: [...accountUnclear[409], 'not-a-receiver', 'generation-not-published'],
    },
  },
  {
    method: 'get',
    path: '/v1/accounts/{name}/switch',
    id: 'showSwitch',
    summary: 'How the key switch of an account stands: who has moved, who is late, who is silent',
    tag: 'switches',
    role: 'read',
    params: OfAccount,
    status: 200,
    answer: answers.SwitchView,
    problems: accountUnclear,
  },
  {
    method: 'get',
    path: '/v1/consumers',
    id: 'listConsumers',
    summary: 'Every consumer that was declared or ever registered',
    tag: 'switches',
    role: 'read',
    status: 200,
    answer: answers.ConsumerList,
    problems: {},
  },
  {
    method: 'get',
    path: '/v1/webhooks',
    id: 'listWebhooks',
    summary: 'Every declared endpoint, and how it stands',
    tag: 'webhooks',
    role: 'read',
    status: 200,
    answer: answers.WebhookList,
    problems: {},
  },
  {
    method: 'get',
    path: '/v1/webhooks/{consumer}/deliveries',
    id: 'listDeliveries',
    summary: 'What an endpoint was sent, and how each attempt ended, newest first',
    tag: 'webhooks',
    role: 'read',
    params: OfConsumer,
    query: LogQuery,
    status: 200,
    answer: answers.DeliveryList,
    problems: { 400: ['invalid-request'], 404: noWebhook },
  },
  {
    method: 'post',
    path: '/v1/webhooks/{consumer}/test',
    id: 'testWebhook',
    summary: 'Send a test, before everything else that waits',
    tag: 'webhooks',
    role: 'operate',
    params: OfConsumer,
    body: AskedBy,
    status: 202,
    answer: answers.AskedView,
    idempotent: true,
    problems: { 400: ['invalid-request'], 404: noWebhook, 422: ['idempotency-key-reused'] },
  },
  {
    method: 'post',
    path: '/v1/webhooks/{consumer}/deliveries/{delivery}/resend',
    id: 'resend',
    summary: 'Send an earlier message once more, under its own id',
    tag: 'webhooks',
    role: 'operate',
    params: OfDelivery,
    body: AskedBy,
    status: 202,
    answer: answers.AskedView,
    idempotent: true,
    problems: {
      400: ['invalid-request'],
      404: [...noWebhook, 'delivery-unknown'],
      422: ['idempotency-key-reused'],
    },
  },
];
