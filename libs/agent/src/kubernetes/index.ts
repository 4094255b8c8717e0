// What needs the client of Kubernetes, apart from what does not: it takes a second to load.
export { type Cluster, clusterOf } from './cluster.js';
export { findCluster } from './config.js';
export { kubernetesTarget } from './target.js';
