// What applications test themselves with: `@twinkey/consumer/testing`.
export type { Refusable } from './fake-data-plane.js';
export { type FakeOptions, type FakeTwinkey, fakeTwinkey } from './fake-twinkey.js';
