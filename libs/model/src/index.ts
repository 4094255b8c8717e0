export { explore, modelOf, type Found, type Limits } from './explore.js';
export { EVERY_RULE, without, type Rule, type Rules } from './rules.js';
export { scenario, type Scenario } from './scenario.js';
