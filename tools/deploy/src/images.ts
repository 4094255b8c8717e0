/** The programs that an image is built of, each a folder of `apps/`. */
export const IMAGES = ['scheduler', 'rotator', 'notifier', 'console', 'cli', 'azure-local'] as const;
