import preset from '../../jest.preset.mjs';

export default {
  ...preset,
  displayName: '@twinkey/testing',
  rootDir: import.meta.dirname,
  testTimeout: 30_000, // the first of them all starts the test server
};
