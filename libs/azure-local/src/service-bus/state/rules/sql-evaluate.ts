import { randomUUID } from 'node:crypto';
import { Uuid, type Value } from '../../amqp/reader.js';
import type { Message } from '../message.js';
import { isLike } from './like.js';
import { readSystemProperty } from './system-properties.js';
import type { Arithmetic, Comparison, Expression, PropertyRef } from './sql-tree.js';

/** Null stands for unknown: SQL's third truth value. */
export type Result = string | number | boolean | bigint | Date | Buffer | null;

/** What an expression is for one message. Throws when types do not go together, as the service does. */
export function evaluate(e: Expression, message: Message): Result {
  switch (e.kind) {
    case 'constant':
      return e.value;
    case 'property':
      return property(e, message);
    case 'exists':
      return property(e, message) !== null;
    case 'newid':
      return randomUUID();
    case 'is-null':
      return evaluate(e.of, message) === null;
    case 'not':
      return not(truth(evaluate(e.of, message)));
    case 'and': {
      const left = truth(evaluate(e.left, message));
      return left === false ? false : both(left, truth(evaluate(e.right, message)));
    }
    case 'or': {
      const left = truth(evaluate(e.left, message));
      return left === true ? true : not(both(not(left), not(truth(evaluate(e.right, message)))));
    }
    case 'compare':
      return compare(e.by, evaluate(e.left, message), evaluate(e.right, message));
    case 'arithmetic': {
      const result = calculate(e.by, evaluate(e.left, message), evaluate(e.right, message));
      const isFraction = e.by === '/' && typeof result === 'number' && !Number.isInteger(result);
      if (!isFraction || !isWhole(e, message)) return result;
      if (!Number.isFinite(result)) throw new TypeError('A whole number is divided by zero');
      return Math.trunc(result);
    }
    case 'negate': {
      const value = evaluate(e.of, message);
      return value === null ? null : -numeric(value);
    }
    case 'in':
      return isAmong(
        evaluate(e.of, message),
        e.among.map((each) => evaluate(each, message)),
      );
    case 'like': {
      const [value, pattern] = [evaluate(e.of, message), evaluate(e.pattern, message)];
      if (value === null || pattern === null) return null;
      const escape = e.escape && evaluate(e.escape, message);
      if (typeof value !== 'string' || typeof pattern !== 'string') return false;
      return isLike(value, pattern, typeof escape === 'string' ? escape : undefined);
    }
  }
}

/** Whether an expression is a whole number by its type: 7 is, 7.0 and a double of that value are not. */
function isWhole(e: Expression, message: Message): boolean {
  switch (e.kind) {
    case 'constant':
      return e.isWhole === true;
    case 'negate':
      return isWhole(e.of, message);
    case 'arithmetic':
      return isWhole(e.left, message) && isWhole(e.right, message);
    case 'property':
      return e.scope === 'sys' ? true : message.isWholeNumber(e.name);
    default:
      return false;
  }
}

function property({ scope, name }: PropertyRef, message: Message): Result {
  if (scope === 'sys') return resultOf(readSystemProperty(message, name));
  const exact = message.applicationProperties.get(name);
  if (exact !== undefined) return resultOf(exact);
  const wanted = name.toLowerCase();
  for (const [key, value] of message.applicationProperties)
    if (key.toLowerCase() === wanted) return resultOf(value);
  return null;
}

function resultOf(value: Value): Result {
  if (value instanceof Uuid) return value.toString();
  if (value instanceof Date || Buffer.isBuffer(value) || value === null) return value;
  return typeof value === 'object' ? null : value;
}

function truth(value: Result): boolean | null {
  if (value === null || typeof value === 'boolean') return value;
  throw new TypeError('A condition is neither true nor false');
}

function not(value: boolean | null): boolean | null {
  return value === null ? null : !value;
}

function both(left: boolean | null, right: boolean | null): boolean | null {
  if (left === false || right === false) return false;
  return left === null || right === null ? null : true;
}

function numeric(value: Result): number {
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value);
  throw new TypeError('An operand of an arithmetic operator is not a number');
}

function comparable(value: Result): string | number | boolean | null {
  if (value instanceof Date) return value.getTime();
  if (Buffer.isBuffer(value)) return value.toString('hex');
  return typeof value === 'bigint' ? Number(value) : value;
}

function compare(by: Comparison, a: Result, b: Result): boolean | null {
  const [left, right] = [comparable(a), comparable(b)];
  if (left === null || right === null) return null;
  // Values of different types are never equal and in no order.
  if (typeof left !== typeof right) return by === '<>';
  switch (by) {
    case '=':
      return left === right;
    case '<>':
      return left !== right;
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
  }
}

function calculate(by: Arithmetic, left: Result, right: Result): Result {
  if (left === null || right === null) return null;
  if (by === '+' && typeof left === 'string' && typeof right === 'string') return left + right;
  const [a, b] = [numeric(left), numeric(right)];
  switch (by) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '%':
      return a % b;
  }
}

function isAmong(value: Result, among: readonly Result[]): boolean | null {
  if (value === null) return null;
  if (among.some((each) => compare('=', value, each) === true)) return true;
  return among.includes(null) ? null : false;
}
