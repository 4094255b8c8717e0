import { invalidArgument } from '../../errors.js';
import type { RuleValue } from './rule.js';
import { checkSystemProperty } from './system-properties.js';
import { tokensOf, type Token } from './sql-tokens.js';
import type { Arithmetic, Comparison, Expression, PropertyRef, Statement } from './sql-tree.js';

export type Parameters = Readonly<Record<string, RuleValue>> | undefined;

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  '=': '=',
  '<>': '<>',
  '!=': '<>',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};
const LONGEST_EXPRESSION = 1024;
const DEEPEST_NESTING = 64;

/**
 * Recursive descent, loosest first: OR, AND, NOT, predicates (comparison, IN, LIKE, IS NULL), sums, products,
 * signs, primaries. Throws `Refused` for what it does not understand.
 */
class Parser {
  private readonly tokens: readonly Token[];
  private at = 0;
  private depth = 0;

  constructor(
    private readonly text: string,
    private readonly parameters: Parameters,
  ) {
    if (text.length > LONGEST_EXPRESSION)
      throw invalidArgument(`An SQL expression has at most ${LONGEST_EXPRESSION} characters`);
    this.tokens = tokensOf(text);
  }

  private get token(): Token {
    return this.tokens[this.at] ?? { kind: 'end', value: '' };
  }

  private isWord(word: string): boolean {
    return this.token.kind === 'name' && this.token.value.toUpperCase() === word;
  }

  private isSign(sign: string): boolean {
    return this.token.kind === 'sign' && this.token.value === sign;
  }

  private word(word: string): boolean {
    if (!this.isWord(word)) return false;
    this.at++;
    return true;
  }

  private sign(sign: string): boolean {
    if (!this.isSign(sign)) return false;
    this.at++;
    return true;
  }

  private fail(expected: string): never {
    const found = this.token.kind === 'end' ? 'the end' : `'${this.token.value}'`;
    throw invalidArgument(`The SQL expression '${this.text}' has ${found} where ${expected} is expected`);
  }

  private expectSign(sign: string): void {
    if (!this.sign(sign)) this.fail(`'${sign}'`);
  }

  private expectWord(word: string): void {
    if (!this.word(word)) this.fail(word);
  }

  filter(): Expression {
    const expression = this.or();
    if (this.token.kind !== 'end') this.fail('the end');
    return expression;
  }

  action(): Statement[] {
    const statements: Statement[] = [];
    while (this.token.kind !== 'end') {
      statements.push(this.statement());
      while (this.sign(';')) continue;
    }
    return statements;
  }

  private statement(): Statement {
    if (this.word('REMOVE')) return { kind: 'remove', ...this.property() };
    this.expectWord('SET');
    const property = this.property();
    this.expectSign('=');
    return { kind: 'set', ...property, to: this.or() };
  }

  private or(): Expression {
    if (++this.depth > DEEPEST_NESTING) throw invalidArgument('The SQL expression is nested too deeply');
    let left = this.and();
    while (this.word('OR')) left = { kind: 'or', left, right: this.and() };
    this.depth--;
    return left;
  }

  private and(): Expression {
    let left = this.not();
    while (this.word('AND')) left = { kind: 'and', left, right: this.not() };
    return left;
  }

  private not(): Expression {
    let negated = false;
    while (this.word('NOT')) negated = !negated;
    const of = this.predicate();
    return negated ? { kind: 'not', of } : of;
  }

  private predicate(): Expression {
    const left = this.sum();
    const comparison = this.token.kind === 'sign' ? COMPARISONS[this.token.value] : undefined;
    if (comparison !== undefined) {
      this.at++;
      return { kind: 'compare', by: comparison, left, right: this.sum() };
    }
    if (this.word('IS')) {
      const negated = this.word('NOT');
      this.expectWord('NULL');
      return unless(negated, { kind: 'is-null', of: left });
    }
    const negated = this.word('NOT');
    if (this.word('IN')) return unless(negated, { kind: 'in', of: left, among: this.items() });
    if (this.word('LIKE')) {
      const pattern = this.sum();
      const escape = this.word('ESCAPE') ? this.sum() : undefined;
      return unless(negated, { kind: 'like', of: left, pattern, escape });
    }
    if (negated) this.fail('IN or LIKE');
    return left;
  }

  private items(): Expression[] {
    this.expectSign('(');
    const items = [this.sum()];
    while (this.sign(',')) items.push(this.sum());
    this.expectSign(')');
    return items;
  }

  private sum(): Expression {
    return this.leftToRight(['+', '-'], () => this.product());
  }

  private product(): Expression {
    return this.leftToRight(['*', '/', '%'], () => this.signed());
  }

  private leftToRight(signs: readonly Arithmetic[], next: () => Expression): Expression {
    let left = next();
    for (;;) {
      const by = signs.find((sign) => this.sign(sign));
      if (by === undefined) return left;
      left = { kind: 'arithmetic', by, left, right: next() };
    }
  }

  private signed(): Expression {
    let negative = false;
    for (;;)
      if (this.sign('-')) negative = !negative;
      else if (!this.sign('+')) break;
    const of = this.primary();
    return negative ? { kind: 'negate', of } : of;
  }

  private primary(): Expression {
    const { token } = this;
    switch (token.kind) {
      case 'number':
        this.at++;
        return { kind: 'constant', value: token.value, isWhole: token.isWhole };
      case 'text':
        this.at++;
        return { kind: 'constant', value: token.value };
      case 'parameter': {
        this.at++;
        const value = this.parameter(token.value);
        return { kind: 'constant', value, isWhole: Number.isInteger(value) };
      }
      case 'sign': {
        this.expectSign('(');
        const inner = this.or();
        this.expectSign(')');
        return inner;
      }
      case 'end':
        return this.fail('a value');
      case 'quoted':
        return { kind: 'property', ...this.property() };
      case 'name':
        return this.named(token.value.toUpperCase());
    }
  }

  private named(word: string): Expression {
    if (this.word('TRUE')) return { kind: 'constant', value: true };
    if (this.word('FALSE')) return { kind: 'constant', value: false };
    if (this.word('NULL')) return { kind: 'constant', value: null };
    if (this.followedByParenthesis()) {
      this.at++;
      this.expectSign('(');
      const expression: Expression =
        word === 'EXISTS'
          ? { kind: 'exists', ...this.property() }
          : word === 'NEWID'
            ? { kind: 'newid' }
            : word === 'PROPERTY' || word === 'P'
              ? this.propertyFunction()
              : this.fail('a function that exists (EXISTS, NEWID, PROPERTY)');
      this.expectSign(')');
      return expression;
    }
    return { kind: 'property', ...this.property() };
  }

  private followedByParenthesis(): boolean {
    const next = this.tokens[this.at + 1];
    return next?.kind === 'sign' && next.value === '(';
  }

  private propertyFunction(): Expression {
    const name = this.primary();
    if (name.kind !== 'constant' || typeof name.value !== 'string')
      return this.fail('the name of a property');
    return { kind: 'property', scope: 'user', name: name.value };
  }

  private parameter(name: string): RuleValue {
    const value = this.parameters?.[name] ?? this.parameters?.[name.slice(1)];
    if (value === undefined) throw invalidArgument(`The SQL parameter '${name}' has no value`);
    return value;
  }

  private property(): PropertyRef {
    const first = this.identifier();
    if (!this.sign('.')) return { scope: 'user', name: first };
    const scope = first.toLowerCase();
    if (scope !== 'sys' && scope !== 'user') this.fail('a property of sys or user');
    const name = this.identifier();
    if (scope === 'sys') checkSystemProperty(name);
    return { scope, name };
  }

  private identifier(): string {
    const { token } = this;
    if (token.kind !== 'name' && token.kind !== 'quoted') return this.fail('the name of a property');
    this.at++;
    return token.value;
  }
}

function unless(negated: boolean, of: Expression): Expression {
  return negated ? { kind: 'not', of } : of;
}

export function parseFilter(text: string, parameters: Parameters): Expression {
  return new Parser(text, parameters).filter();
}

export function parseAction(text: string, parameters: Parameters): Statement[] {
  return new Parser(text, parameters).action();
}
