export type { TokenProvider, TwinkeyAccount } from './account.js';
export { connect } from './connect.js';
export type { BeforeSwitch, Offer } from './consent.js';
export type { EntraFirst, EntraOptions } from './entra.js';
export type { Listener, Listeners, TwinkeyEvents } from './events.js';
export type { RefusedCall } from './heal.js';
export type { ConnectOptions } from './settings.js';
export type { Twinkey } from './twinkey.js';
export type { Used } from './usage.js';
