// Real processes, one stack at a time. Not named jest.config: the `test` target must not pick it up.
import preset from '../../jest.preset.mjs';

export default {
  ...preset,
  displayName: '@twinkey/e2e',
  rootDir: import.meta.dirname,
  testMatch: ['<rootDir>/src/**/*.e2e.spec.ts'],
  // The programs under test are the built ones; so is their launcher.
  testEnvironmentOptions: { customExportConditions: ['node', 'node-addons'] },
  maxWorkers: 1,
  testTimeout: 180_000,
};
