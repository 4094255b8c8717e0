export { World, type Outcome, type WorldOptions } from './world.js';
