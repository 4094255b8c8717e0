import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: '@twinkey/nest-service-bus', rootDir: import.meta.dirname };
