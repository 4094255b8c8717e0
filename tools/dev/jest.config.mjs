import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: '@twinkey/dev', rootDir: import.meta.dirname };
