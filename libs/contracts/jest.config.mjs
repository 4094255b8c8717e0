import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: '@twinkey/contracts', rootDir: import.meta.dirname };
