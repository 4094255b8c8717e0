export type { Config } from './config.js';
export type { Health } from './health.js';
export type { Log } from './log.js';
export { HttpProblem } from './problem.js';
export { runService } from './run-service.js';
export type { Background, Relay, ServiceDefinition, ServiceParts } from './service.js';
export type { ServiceName, UsedBy } from './variable.js';
export { describeVariables, type VariableDescription, type VariableName } from './variables.js';
