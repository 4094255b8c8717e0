import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: '@twinkey/webhook', rootDir: import.meta.dirname };
