import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  AccountId,
  ConsumerName,
  KeyAcknowledged,
  RotationCommand,
  RotationDue,
  RotationEvent,
  SwitchRequested,
  readMessage,
  writeMessage,
  type Contract,
} from './index.js';

function sample(name: string): Record<string, unknown> & { data: Record<string, unknown> } {
  return JSON.parse(readFileSync(new URL(`../samples/${name}.v1.json`, import.meta.url), 'utf8')) as never;
}

describe('a message with a wrong field', () => {
  const wrong: [string, Contract<unknown>, string, Record<string, unknown>, string][] = [
    [
      'an account that is none',
      RotationDue,
      'rotation.due.interval',
      { account: 'speech-prod' },
      'data.account',
    ],
    [
      'a rotation id of another form',
      RotationDue,
      'rotation.due.interval',
      { rotationId: '17' },
      'data.rotationId',
    ],
    ['a local time', RotationDue, 'rotation.due.interval', { dueAt: '2026-03-02 08:30' }, 'data.dueAt'],
    [
      'a negative generation',
      SwitchRequested,
      'switch.requested.rotation',
      { generation: -1 },
      'data.generation',
    ],
    [
      'a slot that Azure spells otherwise',
      SwitchRequested,
      'switch.requested.rotation',
      { slot: 'Key1' },
      'data.slot',
    ],
    ['a boot that is no UUID', KeyAcknowledged, 'key.acknowledged.drained', { boot: 'first' }, 'data.boot'],
    [
      'a command that nobody knows',
      RotationCommand,
      'rotation.command.rotate',
      { command: 'explode' },
      'data.command',
    ],
    ['a waiver without a reason', RotationCommand, 'rotation.command.waive', { reason: '' }, 'data.reason'],
    ['sequence 0', RotationEvent, 'rotation.event.completed', { sequence: 0 }, 'data.sequence'],
  ];

  it.each(wrong)('%s: the problem names the field', (_, contract, name, change, field) => {
    const body = sample(name);
    const read = readMessage(contract, { ...body, data: { ...body.data, ...change } });
    expect(read).toEqual({ ok: false, problem: expect.stringContaining(`${field}: `) });
  });

  it('names a field deep inside by its whole path', () => {
    const body = sample('switch.outcome.overdue');
    const halted = sample('rotation.event.halted');
    const read = readMessage(RotationEvent, {
      ...halted,
      data: { ...halted.data, what: { event: 'halted', reason: 'bad-luck', detail: '', remedy: '' } },
    });
    expect(read).toEqual({ ok: false, problem: expect.stringContaining('data.what.reason: ') });
    expect(readMessage(RotationEvent, body)).toEqual({
      ok: false,
      problem: 'type: must be com.twinkey.rotation.event.v1',
    });
  });

  it.each([
    ['nothing', undefined, 'body'],
    ['text', 'RotationDue', 'body'],
    [
      'another CloudEvents version',
      { ...sample('rotation.due.interval'), specversion: '0.3' },
      'specversion',
    ],
    ['no id', { ...sample('rotation.due.interval'), id: '' }, 'id'],
    [
      'an id that Service Bus would refuse',
      { ...sample('rotation.due.interval'), id: 'x'.repeat(129) },
      'id',
    ],
  ])('%s in place of an envelope is refused by name', (_, body, field) => {
    expect(readMessage(RotationDue, body)).toEqual({
      ok: false,
      problem: expect.stringMatching(new RegExp(`^${field}: `)),
    });
  });

  it('never repeats a value: it might be a key', () => {
    const body = sample('key.acknowledged.drained');
    const leaked = '0123456789abcdef0123456789abcdef';
    const read = readMessage(KeyAcknowledged, {
      ...body,
      data: { ...body.data, instance: leaked, boot: leaked },
    });
    expect(read.ok).toBe(false);
    expect(JSON.stringify(read)).not.toContain(leaked);
  });
});

describe('a message that is written', () => {
  const due = sample('rotation.due.interval');
  const written = (id: string) =>
    writeMessage(RotationDue, {
      id,
      source: 'twinkey/scheduler',
      subject: 'speech-prod',
      time: new Date('2026-03-02T08:30:00.000Z'),
      traceparent: String(due['traceparent']),
      data: due.data as unknown as RotationDue,
    });

  it('is the golden sample, field by field', () => {
    expect(written(String(due['id']))).toEqual(due);
  });

  it('is refused while it is still ours when its id is too long', () => {
    expect(() => written('x'.repeat(129))).toThrow();
  });
});

describe('an account id', () => {
  const spelled =
    '/SUBSCRIPTIONS/AB/resourcegroups/Speech/providers/microsoft.cognitiveservices/accounts/Speech-Prod';
  const canonical =
    '/subscriptions/ab/resourceGroups/speech/providers/Microsoft.CognitiveServices/accounts/speech-prod';

  it('has one spelling, however Azure wrote it', () => {
    expect(AccountId.parse(spelled)).toBe(canonical);
    expect(AccountId.parse(canonical)).toBe(canonical);
  });

  it.each([
    '/subscriptions/ab',
    canonical.replace('CognitiveServices', 'Storage'),
    `${canonical}/deployments/x`,
  ])('%s is none', (id) => {
    expect(AccountId.safeParse(id).success).toBe(false);
  });
});

describe('a consumer name', () => {
  it.each(['', '-web', 'Web', 'speech_web', 'x'.repeat(64)])('%p is refused', (name) => {
    expect(ConsumerName.safeParse(name).success).toBe(false);
  });
});
