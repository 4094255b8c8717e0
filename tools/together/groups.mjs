// Which spec files share a process and its modules. Groups take about equally long; what computes for long is alone.
import { readdirSync } from 'node:fs';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '../..');

export const GROUPS = {
  cores: [
    'libs/account',
    'libs/contracts',
    'libs/key-switch',
    'libs/rotation',
    'libs/settings',
    'libs/webhook',
  ],
  model: ['libs/model'],
  simulation: ['libs/simulation'],
  'embedded-azure': ['libs/azure-local'],
  libraries: [
    'libs/agent',
    'libs/consumer',
    'libs/journal',
    'libs/key-store',
    'libs/nest-service-bus',
    'libs/postgres-local',
    'libs/service',
    'libs/service-bus',
    'libs/testing',
  ],
  services: ['apps/cli', 'apps/console', 'apps/notifier', 'apps/rotator', 'apps/scheduler'],
  tools: ['examples/consumer-node', 'tools/deploy', 'tools/dev'],
};

/** Whole processes: `apps/e2e/jest-e2e.config.mjs` runs them. */
export const NOT_HERE = ['apps/e2e'];

/** The spec files of a project, in the order of their names. */
export function specsIn(project) {
  return readdirSync(path.join(root, project, 'src'), { recursive: true })
    .filter((name) => name.endsWith('.spec.ts'))
    .sort()
    .map((name) => path.join(root, project, 'src', name));
}
