import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: '@twinkey/console', rootDir: import.meta.dirname };
