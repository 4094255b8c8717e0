export { runAsProcess } from './process.js';
export { run, type Defaults, type Surroundings } from './run.js';
