// A large fleet through several rotations while things go wrong: minutes of both processors, and no part of `npm test`.
import e2e from './jest-e2e.config.mjs';

export default { ...e2e, testMatch: ['<rootDir>/src/proof/*.fleet.spec.ts'], testTimeout: 900_000 };
