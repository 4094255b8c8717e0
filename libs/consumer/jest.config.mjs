import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: '@twinkey/consumer', rootDir: import.meta.dirname };
