export type {
  Bus,
  BusLog,
  EntitySource,
  OutgoingMessage,
  ReceivedMessage,
  ReceiveOptions,
  Receiving,
  Subscriptions,
} from './bus.js';
export { connectBus, type BusOptions, type BusSettings } from './connection.js';
export type { DeadLetter, DeadLetters, ReplayedDeadLetter, ReplaySelection } from './dead-letters.js';
export { reachOf, type Reach } from './reach.js';
export { settlementOf, type Outcome, type Settlement } from './settlement.js';
