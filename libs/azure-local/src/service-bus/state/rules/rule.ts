import type { Message } from '../message.js';
import { matchesCorrelation, type CorrelationFilter } from './correlation.js';
import { compileAction, compileFilter } from './sql.js';

export type RuleValue = string | number | boolean | Date;

/** What kind of number a value was given as; whole ones are `int` otherwise, others `double`. */
export type NumberTypes = Readonly<Record<string, 'int' | 'long' | 'double'>>;

export interface SqlFilter {
  readonly kind: 'sql';
  readonly expression: string;
  readonly parameters?: Readonly<Record<string, RuleValue>> | undefined;
  readonly numberTypes?: NumberTypes | undefined;
}

export interface Rule {
  readonly name: string;
  readonly filter: CorrelationFilter | SqlFilter;
  readonly action?:
    | {
        readonly expression: string;
        readonly parameters?: Readonly<Record<string, RuleValue>> | undefined;
        readonly numberTypes?: NumberTypes | undefined;
      }
    | undefined;
  readonly createdAt: number;
}

export const DEFAULT_RULE_NAME = '$Default';
export const everything: SqlFilter = { kind: 'sql', expression: '1=1' };

/** A rule made ready to be asked. Throws `Refused` when its SQL does not parse. */
export interface CompiledRule {
  readonly rule: Rule;
  matches(message: Message): boolean;
  readonly act: ((message: Message) => Message) | undefined;
}

export function compileRule(rule: Rule): CompiledRule {
  const { filter, action } = rule;
  return {
    rule,
    matches:
      filter.kind === 'sql'
        ? compileFilter(filter.expression, filter.parameters)
        : (message) => matchesCorrelation(filter, message),
    act: action && compileAction(action.expression, action.parameters),
  };
}

/**
 * A rule from the journal. What was accepted once stays, though today it would be refused: it then fails for each
 * message, as a filter does that cannot be evaluated.
 */
export function restoredRule(rule: Rule): CompiledRule {
  try {
    return compileRule(rule);
  } catch (error) {
    const fail = (): never => {
      throw error;
    };
    return { rule, matches: fail, act: undefined };
  }
}
