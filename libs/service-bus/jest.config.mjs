import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: '@twinkey/service-bus', rootDir: import.meta.dirname };
