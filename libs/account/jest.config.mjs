import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: '@twinkey/account', rootDir: import.meta.dirname };
