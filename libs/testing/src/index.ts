export { startTestAzure, type TestAzure } from './azure.js';
export { fixedClock, type FixedClock } from './clock.js';
export { testCluster } from './cluster.js';
export { testDatabase, type TestDatabase } from './database.js';
export { givenFor, type Core, type Given, type When } from './given.js';
export { until } from './until.js';
