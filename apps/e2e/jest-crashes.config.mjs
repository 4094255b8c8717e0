// Every crash point, one stack for all of them: it takes its time, and is no part of `npm test`.
import e2e from './jest-e2e.config.mjs';

export default { ...e2e, testMatch: ['<rootDir>/src/crashes/*.crashes.spec.ts'] };
