import { describe, expect, it } from '@jest/globals';
import { bytesOf, bool, double, int, string, timestamp, type Put } from '../../amqp/put.js';
import { readMessage, type Message } from '../message.js';
import { compileAction, compileFilter } from './sql.js';

const properties: Record<string, Put> = {
  color: string('red'),
  Size: int(7),
  weight: double(2.5),
  express: bool(true),
  since: timestamp(1000),
  'odd name': string('50%'),
  größe: string('groß'),
  whole: double(7),
};

const message: Message = readMessage(Buffer.alloc(0))
  .withProperties({ messageId: string('m-1'), subject: string('order'), contentType: string('text/plain') })
  .withApplicationProperties(new Map(Object.entries(properties).map(([name, put]) => [name, bytesOf(put)])));

describe('a filter in SQL', () => {
  it.each([
    '1=1',
    "color = 'red'",
    "COLOR='red' AND size > 6 and Size<=7",
    "color = 'blue' OR Size = 7",
    "NOT color = 'blue'",
    "NOT (color = 'blue' OR missing = 1) OR TRUE",
    "color <> 'blue' AND color != 'green'",
    "color IN ('green', 'red')",
    "color NOT IN ('green', 'blue')",
    "color LIKE 'r%' AND color LIKE '_ed' AND color NOT LIKE 'e%'",
    "[odd name] LIKE '50\\%' ESCAPE '\\'",
    'missing IS NULL AND color IS NOT NULL',
    'EXISTS(color) AND NOT EXISTS(user.missing)',
    "sys.Label = 'order' AND sys.MessageId LIKE 'm-_'",
    "sys.ContentType = 'text/plain' AND user.color = 'red'",
    'Size * 2 + 1 = 15 AND Size % 4 = 3 AND -Size < 0 AND (Size - 1) / 2 = 3',
    'weight = 2.5 AND Size = 0x7 AND weight < 1e2',
    'express = TRUE AND express',
    "color + '!' = 'red!'",
    '"odd name" = \'50%\'',
    "'it''s' = 'it''s'",
    "Size <> 'seven'",
    'Size / 2 = 3 AND -Size / 2 = -3 AND Size / 2.0 = 3.5 AND 7 / 2 = 3 AND 7e0 / 2 = 3.5',
    'weight / 2 = 1.25 AND whole / 2 = 3.5',
    "größe = 'groß' AND GRÖSSE IS NULL AND EXISTS(größe)",
    'sys.SequenceNumber IS NULL AND sys.EnqueuedTimeUtc IS NULL AND sys.Size > 0',
  ])('matches %s', (text) => {
    expect(compileFilter(text, undefined)(message)).toBe(true);
  });

  it.each([
    '1=0',
    "color = 'RED'",
    'missing = 1',
    'NOT missing = 1',
    'missing <> 1',
    'missing IN (1, 2)',
    'missing NOT IN (1, 2)',
    'Size > NULL',
    "color LIKE 'r'",
    "[odd name] LIKE '50!_' ESCAPE '!'",
    "Size = '7'",
    "express AND sys.Label = 'invoice'",
  ])('does not match %s', (text) => {
    expect(compileFilter(text, undefined)(message)).toBe(false);
  });

  it('takes its time from no pattern', () => {
    const patterns = `'${'%a'.repeat(200)}%b'`;
    expect(compileFilter(`'${'a'.repeat(400)}' LIKE ${patterns}`, undefined)(message)).toBe(false);
  });

  it('uses parameters', () => {
    expect(compileFilter('color = @c AND since = @t', { '@c': 'red', t: new Date(1000) })(message)).toBe(
      true,
    );
    expect(() => compileFilter('color = @c', {})).toThrow("parameter '@c' has no value");
  });

  it.each([
    ['', 'the end'],
    ['color =', 'a value'],
    ['(color = 1', "')'"],
    ["color = 'red", 'not understood at position 8'],
    ['color ? 1', 'not understood at position 6'],
    ['color = 1 2', 'the end'],
    ['color NOT 1', 'IN or LIKE'],
    ['nofunction(1)', 'a function that exists'],
    ['other.color = 1', 'sys or user'],
    ['sys.Lable = 1', 'no system property sys.Lable'],
    ['EXISTS(sys.Color)', 'no system property'],
    [`${'('.repeat(100)}1${')'.repeat(100)}`, 'nested too deeply'],
    ['1'.repeat(2000), 'at most 1024 characters'],
  ])('refuses %s', (text, reason) => {
    expect(() => compileFilter(text, undefined)).toThrow(reason);
  });

  it('fails on a message for which it makes no sense', () => {
    expect(() => compileFilter('color * 2 = 4', undefined)(message)).toThrow('not a number');
    expect(() => compileFilter('Size', undefined)(message)).toThrow('not a condition');
    expect(() => compileFilter('Size / 0 = 1', undefined)(message)).toThrow('divided by zero');
  });
});

describe('an action in SQL', () => {
  it('sets and removes properties, of the message too', () => {
    const changed = compileAction(
      "SET color = 'blue'; SET size = Size + 1; SET sys.Label = 'changed'; REMOVE weight; SET fresh = TRUE",
      undefined,
    )(message);
    expect(Object.fromEntries(changed.applicationProperties)).toMatchObject({
      color: 'blue',
      Size: 8,
      fresh: true,
    });
    expect(changed.applicationProperties.has('weight')).toBe(false);
    expect(changed.property('subject')).toBe('changed');
    expect(message.property('subject')).toBe('order');
  });

  it('is refused for a system property that does not exist', () => {
    expect(() => compileAction("SET sys.Lable = 'x'", undefined)).toThrow('no system property');
    expect(() => compileAction("SET sys.SequenceNumber = 'x'", undefined)).toThrow('cannot be set');
  });

  it('cannot change the id of a message', () => {
    expect(() => compileAction("SET sys.MessageId = 'x'", undefined)).toThrow('cannot be set');
  });
});
