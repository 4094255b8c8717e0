import preset from '../../jest.preset.mjs';

export default {
  ...preset,
  displayName: '@twinkey/model',
  rootDir: import.meta.dirname,
  testTimeout: 600_000, // hundreds of thousands of states, perhaps beside everything else
};
