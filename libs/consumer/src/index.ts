export { connect, type Twinkey, type TwinkeyAccount } from './connect.js';
export type { Listener, Listeners, TwinkeyEvents } from './events.js';
export type { RefusedCall } from './heal.js';
export type { ConnectOptions } from './settings.js';
