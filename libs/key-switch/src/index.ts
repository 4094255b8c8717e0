export * from './census.js';
export * from './expectation.js';
export * from './instance.js';
export * from './key-switch.js';
export * from './owed.js';
export * from './request.js';
