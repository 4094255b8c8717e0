// The tokens under which Nest hands the parts of the console to its controllers.
import type { Database } from '@twinkey/journal';
import type { ConsoleTables } from './read-model/tables.js';

export type ConsoleDatabase = Database<ConsoleTables>;
export type Clock = () => Date;

export const DATABASE = Symbol('database');
export const CLOCK = Symbol('clock');
export const COMMANDS = Symbol('commands');
export const BUS = Symbol('bus');
