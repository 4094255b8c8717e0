export { Child } from './child.js';
export { ConsoleClient, type AccountLine, type RotationLine } from './console-client.js';
export { accountIdOf } from './fleet-files.js';
export { freePort } from './free-port.js';
export { consumersInLedger } from './ledger.js';
export { Load, type LoadCounters } from './load.js';
export {
  SAMPLE_ACCOUNTS,
  SAMPLE_CONSUMERS,
  SAMPLE_POLICIES,
  type SampleAccount,
  type SampleConsumer,
} from './sample-fleet.js';
export { SERVICES, Stack, type Service, type StackSettings } from './stack.js';
export { answers, waitUntil } from './wait-until.js';
export { Witness } from './witness.js';
