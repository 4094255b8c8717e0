export { BUGS, type Bug } from './bugs.js';
export { openRunner, type Runner } from './run.js';
export type { Outcome, WorldOptions } from './world.js';
