import preset from '../../jest.preset.mjs';

export default {
  ...preset,
  displayName: '@twinkey/simulation',
  rootDir: import.meta.dirname,
  testTimeout: 600_000, // hundreds of worlds, perhaps beside everything else
};
