// Every operation of the API, once: the OpenAPI document is made from this list, and a spec holds it against the
// routes that really exist.
import type { Role } from '@twinkey/service';
import type { z } from 'zod';
import * as answers from './answers.js';
import * as questions from './questions.js';

export interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  /** What the caller must be, where tokens are asked for. */
  readonly role: Role;
  readonly tag: 'fleet' | 'accounts' | 'consumers' | 'rotations' | 'events' | 'dead letters' | 'audit';
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly status: 200 | 202;
  readonly answer: z.ZodType;
  /** Also answers as a stream of server-sent events whose data are these. */
  readonly streams?: z.ZodType;
  /** Codes of the problems that the operation itself can answer, by status. */
  readonly problems: Readonly<Record<number, readonly string[]>>;
}

const command = (problems: Readonly<Record<number, readonly string[]>>) => ({
  method: 'post' as const,
  role: 'operate' as Role,
  status: 202 as const,
  answer: answers.Asked,
  problems: { 400: ['invalid-request'], 422: ['idempotency-key-reused'], ...problems },
});

const noAccount = ['account-unknown'];
const noConsumer = ['consumer-unknown'];
const noRotation = ['rotation-unknown'];
const closed = ['rotation-ambiguous', 'rotation-completed', 'rotation-refused'];

export const OPERATIONS: readonly Operation[] = [
  {
    method: 'get',
    role: 'read',
    path: '/v1/status',
    id: 'status',
    summary: 'The fleet at a glance, and what a person should look at',
    tag: 'fleet',
    status: 200,
    answer: answers.StatusView,
    problems: {},
  },
  {
    method: 'get',
    role: 'read',
    path: '/v1/accounts',
    id: 'listAccounts',
    summary: 'All accounts',
    tag: 'accounts',
    status: 200,
    answer: answers.AccountList,
    problems: {},
  },
  {
    method: 'get',
    role: 'read',
    path: '/v1/accounts/{name}',
    id: 'showAccount',
    summary: 'An account with its settings, consumers and latest rotations',
    tag: 'accounts',
    params: questions.AccountPath,
    status: 200,
    answer: answers.AccountDetail,
    problems: { 404: noAccount, 409: ['account-ambiguous'] },
  },
  {
    method: 'get',
    role: 'read',
    path: '/v1/accounts/{name}/keyless',
    id: 'judgeKeyless',
    summary: 'Whether the keys of an account may be switched off, and who still shows them',
    tag: 'accounts',
    params: questions.AccountPath,
    query: questions.KeylessQuery,
    status: 200,
    answer: answers.KeylessView,
    problems: { 400: ['invalid-request'], 404: noAccount, 409: ['account-ambiguous'] },
  },
  {
    method: 'get',
    role: 'read',
    path: '/v1/consumers',
    id: 'listConsumers',
    summary: 'All consumers that are declared or were seen, with how far they have moved',
    tag: 'consumers',
    status: 200,
    answer: answers.ConsumerList,
    problems: {},
  },
  {
    method: 'get',
    role: 'read',
    path: '/v1/consumers/{name}',
    id: 'showConsumer',
    summary: 'One consumer',
    tag: 'consumers',
    params: questions.ConsumerPath,
    status: 200,
    answer: answers.ConsumerSummary,
    problems: { 400: ['invalid-request'], 404: noConsumer },
  },
  {
    method: 'put',
    role: 'admin',
    path: '/v1/consumers/{name}',
    id: 'declareConsumer',
    summary: 'Declare a consumer, or change what was declared over the API',
    tag: 'consumers',
    params: questions.ConsumerPath,
    body: questions.DeclareBody,
    status: 200,
    answer: answers.ConsumerSummary,
    problems: {
      400: ['invalid-request'],
      404: noAccount,
      409: ['account-ambiguous', 'declared-in-file', 'subscription-taken'],
    },
  },
  {
    method: 'delete',
    role: 'admin',
    path: '/v1/consumers/{name}',
    id: 'withdrawConsumer',
    summary: 'Take back what was declared over the API',
    tag: 'consumers',
    params: questions.ConsumerPath,
    query: questions.WithdrawQuery,
    status: 200,
    answer: answers.ConsumerWithdrawn,
    problems: { 400: ['invalid-request'], 404: noConsumer, 409: ['declared-in-file'] },
  },
  {
    ...command({ 404: noAccount, 409: ['account-ambiguous', 'account-withdrawn', 'rotation-open'] }),
    path: '/v1/accounts/{name}/rotations',
    id: 'rotate',
    summary: 'Rotate the keys of an account now',
    tag: 'rotations',
    params: questions.AccountPath,
    body: questions.RotateBody,
  },
  {
    method: 'get',
    role: 'read',
    path: '/v1/rotations',
    id: 'listRotations',
    summary: 'Rotations, newest first',
    tag: 'rotations',
    query: questions.RotationsQuery,
    status: 200,
    answer: answers.RotationList,
    problems: { 400: ['invalid-request'], 404: noAccount, 409: ['account-ambiguous'] },
  },
  {
    method: 'get',
    role: 'read',
    path: '/v1/rotations/{id}',
    id: 'showRotation',
    summary: 'A rotation with its timeline',
    tag: 'rotations',
    params: questions.RotationPath,
    status: 200,
    answer: answers.RotationDetail,
    problems: { 400: ['invalid-request'], 404: noRotation, 409: ['rotation-ambiguous'] },
  },
  {
    method: 'get',
    role: 'read',
    path: '/v1/rotations/{id}/explanation',
    id: 'explainRotation',
    summary: 'What a rotation waits for, what happens if nobody acts, and what one can do',
    tag: 'rotations',
    params: questions.RotationPath,
    status: 200,
    answer: answers.ExplanationView,
    problems: { 400: ['invalid-request'], 404: noRotation, 409: ['rotation-ambiguous'] },
  },
  {
    method: 'get',
    role: 'read',
    path: '/v1/rotations/{id}/events',
    id: 'rotationEvents',
    summary: 'What happened in a rotation, in the order in which it became known; as a stream with `watch`',
    tag: 'events',
    params: questions.RotationPath,
    query: questions.EventsQuery,
    status: 200,
    answer: answers.EventList,
    streams: answers.EventView,
    problems: { 400: ['invalid-request'], 404: noRotation, 409: ['rotation-ambiguous'] },
  },
  {
    ...command({ 404: noRotation, 409: [...closed, 'rotation-running'] }),
    path: '/v1/rotations/{id}/replay',
    id: 'replay',
    summary: 'Take a halted rotation up again where it stands',
    tag: 'rotations',
    params: questions.RotationPath,
    body: questions.ReplayBody,
  },
  {
    ...command({ 404: noRotation, 409: [...closed, 'rotation-halted'] }),
    path: '/v1/rotations/{id}/halt',
    id: 'halt',
    summary: 'Stop a rotation until it is replayed; both keys keep working',
    tag: 'rotations',
    params: questions.RotationPath,
    body: questions.HaltBody,
  },
  {
    ...command({ 404: [...noRotation, 'consumer-unknown'], 409: closed }),
    role: 'admin',
    path: '/v1/rotations/{id}/waive',
    id: 'waive',
    summary: 'Excuse a consumer from acknowledging in this rotation; it may be refused calls',
    tag: 'rotations',
    params: questions.RotationPath,
    body: questions.WaiveBody,
  },
  {
    method: 'get',
    role: 'read',
    path: '/v1/events',
    id: 'events',
    summary: 'What happened in all accounts, in the order in which it became known; as a stream with `watch`',
    tag: 'events',
    query: questions.EventsQuery,
    status: 200,
    answer: answers.EventList,
    streams: answers.EventView,
    problems: { 400: ['invalid-request'] },
  },
  {
    method: 'get',
    role: 'read',
    path: '/v1/dead-letters',
    id: 'listDeadLetters',
    summary: 'Messages that nobody could handle, of all queues and fixed subscriptions',
    tag: 'dead letters',
    status: 200,
    answer: answers.DeadLetterList,
    problems: { 503: ['bus-unreachable'] },
  },
  {
    method: 'post',
    role: 'operate',
    path: '/v1/dead-letters/replay',
    id: 'replayDeadLetters',
    summary: 'Send dead letters to their entity again',
    tag: 'dead letters',
    body: questions.ReplayDeadLettersBody,
    status: 200,
    answer: answers.DeadLettersReplayed,
    problems: { 400: ['invalid-request'], 404: ['entity-unknown'], 503: ['bus-unreachable'] },
  },
  {
    method: 'get',
    role: 'read',
    path: '/v1/commands',
    id: 'listCommands',
    summary: 'The audit: what was asked over this API, by whom and why, newest first',
    tag: 'audit',
    query: questions.CommandsQuery,
    status: 200,
    answer: answers.CommandList,
    problems: { 400: ['invalid-request'], 404: noAccount, 409: ['account-ambiguous'] },
  },
];
