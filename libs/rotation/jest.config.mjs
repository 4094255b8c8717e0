import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: '@twinkey/rotation', rootDir: import.meta.dirname };
