import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: '@twinkey/cli', rootDir: import.meta.dirname };
