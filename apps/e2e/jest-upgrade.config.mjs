// Two versions against each other: they are built first, and it takes minutes. No part of `npm test`.
import e2e from './jest-e2e.config.mjs';

export default { ...e2e, testMatch: ['<rootDir>/src/upgrade/*.upgrade.spec.ts'], testTimeout: 900_000 };
