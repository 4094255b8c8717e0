import type { z } from 'zod';
import type { BASE_VARIABLES, VariableName, VARIABLES } from './variables.js';

type Catalogue = typeof VARIABLES & typeof BASE_VARIABLES;
type FieldOf<Name extends keyof Catalogue> = Catalogue[Name]['field'];
type ValueOf<Name extends keyof Catalogue> =
  Catalogue[Name]['read'] extends z.ZodType<infer Value> ? Value : never;
type Fields<Names extends keyof Catalogue> = { readonly [Name in Names as FieldOf<Name>]: ValueOf<Name> };

/** The checked configuration of a service: what every service has, its port and the variables that it named. */
export type Config<Names extends VariableName = never> = Fields<keyof typeof BASE_VARIABLES | Names> & {
  readonly port: number;
};
