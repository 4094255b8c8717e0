// A session and what it talks to, for those who put something else in the place of network and clock.
export { type Channel, channelOver } from './channel.js';
export { Events, type TwinkeyEvents } from './events.js';
export type { FollowedAccount } from './followed-account.js';
export type { Notifier } from './notifier-client.js';
export { Session, type SessionParts } from './session.js';
export type { Settings } from './settings.js';
export type { Timing } from './timing.js';
export type { ReadVersion, Vault } from './vault-reader.js';
