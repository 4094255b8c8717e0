// The one jest set-up of every project: native ESM, SWC for the transform (types are checked by `typecheck`).
const swc = {
  jsc: {
    target: 'es2023',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    keepClassNames: true,
  },
  module: { type: 'es6' },
  sourceMaps: 'inline',
  swcrc: false,
};

export default {
  testEnvironment: 'node',
  // Follows `@twinkey/source` into the sources of the other projects, so nothing has to be built before a test.
  testEnvironmentOptions: { customExportConditions: ['@twinkey/source', 'node', 'node-addons'] },
  testMatch: ['<rootDir>/src/**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json', 'node'],
  transform: { '^.+\\.ts$': ['@swc/jest', swc] },
  // The first spec of a run may have to make a database cluster, on a busy machine. A limit is there for what hangs.
  testTimeout: 90_000,
  passWithNoTests: true,
};
