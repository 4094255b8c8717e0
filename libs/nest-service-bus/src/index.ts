export { BusContext } from './context.js';
export { currentDelivery } from './delivery.js';
export { OnMessage, type Handler } from './on-message.js';
export { ServiceBusStrategy, type Around, type SourceToReceive, type StrategyOptions } from './strategy.js';
