import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: '@twinkey/deploy', rootDir: import.meta.dirname };
