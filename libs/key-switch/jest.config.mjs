import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: '@twinkey/key-switch', rootDir: import.meta.dirname };
