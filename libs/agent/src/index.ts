export { type AgentOptions, runAgent } from './agent.js';
export { type Clock, REAL_CLOCK } from './clock.js';
export { type ExecOptions, ExecTarget } from './exec/target.js';
export { type Format, FORMATS, type Names, variableFor } from './file/format.js';
export { type Addressee, signalNamed } from './file/signal.js';
export { type FileOptions, fileTarget, obstacleTo } from './file/target.js';
export type { Readiness } from './readiness.js';
export { type HeldKey, type Keys, Refused, type Target } from './target.js';
