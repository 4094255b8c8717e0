import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: '@twinkey/key-store', rootDir: import.meta.dirname };
