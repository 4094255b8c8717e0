// The files under deploy and docker that follow from the topology and the roles.
import { emulatorConfig, ENTITY_DEFAULTS, topology } from '@twinkey/contracts';
import { embeddedApplications, type EmbeddedApplication } from './embedded-applications.js';
import { readRoles } from './roles.js';

/** How many key-changed topics an installation on Azure has, and one on a machine of one's own. */
export const SHARDS = { azure: 4, compose: 2, dev: 2 } as const;

/** Every generated file by its path in the repository. */
export function generatedFiles(): Readonly<Record<string, object>> {
  return {
    'deploy/roles.json': readRoles(),
    'deploy/bicep/topology.json': bicepTopology(),
    'deploy/kubernetes/overlays/dev/applications.json': { applications: developmentApplications() },
    'deploy/kubernetes/overlays/dev/service-bus.json': emulatorConfig(topology({ shards: SHARDS.dev })),
    'docker/servicebus-config.json': emulatorConfig(topology({ shards: SHARDS.compose })),
  };
}

function bicepTopology(): object {
  const { queues, topics } = topology({ shards: SHARDS.azure });
  return {
    defaults: ENTITY_DEFAULTS,
    queues: queues.map(({ name }) => name),
    topics: topics.map(({ name }) => name),
    keyChangedTopics: topics.map(({ name }) => name).filter((name) => name.startsWith('key-changed-')),
    subscriptions: topics.flatMap(({ name, subscriptions }) =>
      subscriptions.map((subscription) => ({ topic: name, name: subscription })),
    ),
  };
}

const API = 'api://twinkey';

/** The services as they are in the cloud, the API that they ask tokens for, and somebody who operates it. */
function developmentApplications(): readonly EmbeddedApplication[] {
  const identities = embeddedApplications(readRoles(), topology({ shards: SHARDS.dev }));
  return [
    { name: 'api', identifierUris: [API] },
    ...identities.map((identity) =>
      identity.name === 'consumer'
        ? { ...identity, appRoles: [{ resource: API, role: 'twinkey.consumer' }] }
        : identity,
    ),
    { name: 'operator', appRoles: [{ resource: API, role: 'twinkey.admin' }] },
  ];
}
