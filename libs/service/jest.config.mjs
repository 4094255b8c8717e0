import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: '@twinkey/service', rootDir: import.meta.dirname };
