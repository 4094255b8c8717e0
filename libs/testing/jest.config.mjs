import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: '@twinkey/testing', rootDir: import.meta.dirname };
