import {
  bool,
  bytesOf,
  double,
  int,
  long,
  nothing,
  string,
  timestamp,
  binary,
  type Put,
} from '../../amqp/put.js';
import type { Message } from '../message.js';
import { evaluate, type Result } from './sql-evaluate.js';
import { parseAction, parseFilter, type Parameters } from './sql-parser.js';
import type { Statement } from './sql-tree.js';
import { writtenSystemProperty } from './system-properties.js';

/** A filter matches what it is true for; unknown is not true. Throws `Refused` when it does not parse. */
export function compileFilter(text: string, parameters: Parameters): (message: Message) => boolean {
  const expression = parseFilter(text, parameters);
  // The default rule of every subscription needs no evaluation.
  if (text.replaceAll(' ', '') === '1=1') return () => true;
  return (message) => {
    const result = evaluate(expression, message);
    if (result !== null && typeof result !== 'boolean') throw new TypeError('The filter is not a condition');
    return result === true;
  };
}

/** An action makes another message of the one that matched. */
export function compileAction(text: string, parameters: Parameters): (message: Message) => Message {
  const statements = parseAction(text, parameters);
  for (const { scope, name } of statements) if (scope === 'sys') writtenSystemProperty(name);
  return (message) => statements.reduce(apply, message);
}

function apply(message: Message, statement: Statement): Message {
  const value = statement.kind === 'set' ? evaluate(statement.to, message) : null;
  if (statement.scope === 'sys') {
    const property = writtenSystemProperty(statement.name);
    return message.withProperties({ [property]: value === null ? nothing : string(text(value)) });
  }
  const key =
    [...message.applicationProperties.keys()].find(
      (each) => each.toLowerCase() === statement.name.toLowerCase(),
    ) ?? statement.name;
  const bytes = statement.kind === 'remove' ? undefined : bytesOf(put(value));
  return message.withApplicationProperties(new Map([[key, bytes]]));
}

function text(value: Exclude<Result, null>): string {
  if (value instanceof Date) return value.toISOString();
  return Buffer.isBuffer(value) ? value.toString('hex') : String(value);
}

function put(value: Result): Put {
  if (value === null) return nothing;
  if (value instanceof Date) return timestamp(value.getTime());
  if (Buffer.isBuffer(value)) return binary(value);
  switch (typeof value) {
    case 'string':
      return string(value);
    case 'boolean':
      return bool(value);
    case 'bigint':
      return long(Number(value));
    default:
      return Number.isInteger(value) && Math.abs(value) < 0x8000_0000 ? int(value) : double(value);
  }
}
