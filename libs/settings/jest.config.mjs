import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: '@twinkey/settings', rootDir: import.meta.dirname };
