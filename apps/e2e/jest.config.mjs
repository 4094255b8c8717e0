import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: '@twinkey/e2e', rootDir: import.meta.dirname };
