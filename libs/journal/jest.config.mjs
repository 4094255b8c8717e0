import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: '@twinkey/journal', rootDir: import.meta.dirname };
