export { DATABASE_TOKEN_SCOPE } from './database-token-scope.js';
export type { Config } from './config.js';
export {
  ConfigurationError,
  PUBLIC_AUTHORITY,
  problemWith,
  readConfig,
  settingOf,
  type ConfigProblem,
  type Environment,
} from './read-config.js';
export { SERVICE_NAMES, type ServiceName, type UsedBy } from './variable.js';
export { describeVariables, variablesOf, type VariableDescription, type VariableName } from './variables.js';
