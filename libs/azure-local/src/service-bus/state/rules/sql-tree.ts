import type { RuleValue } from './rule.js';

export type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>=';
export type Arithmetic = '+' | '-' | '*' | '/' | '%';

/** `sys` properties are those of the message itself, `user` ones its application properties. */
export interface PropertyRef {
  readonly scope: 'sys' | 'user';
  readonly name: string;
}

export type Expression =
  | { readonly kind: 'constant'; readonly value: RuleValue | null; readonly isWhole?: boolean }
  | ({ readonly kind: 'property' } & PropertyRef)
  | {
      readonly kind: 'compare';
      readonly by: Comparison;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: 'arithmetic';
      readonly by: Arithmetic;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'negate'; readonly of: Expression }
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'not'; readonly of: Expression }
  | { readonly kind: 'in'; readonly of: Expression; readonly among: readonly Expression[] }
  | {
      readonly kind: 'like';
      readonly of: Expression;
      readonly pattern: Expression;
      readonly escape: Expression | undefined;
    }
  | { readonly kind: 'is-null'; readonly of: Expression }
  | ({ readonly kind: 'exists' } & PropertyRef)
  | { readonly kind: 'newid' };

export type Statement =
  | ({ readonly kind: 'set'; readonly to: Expression } & PropertyRef)
  | ({ readonly kind: 'remove' } & PropertyRef);
