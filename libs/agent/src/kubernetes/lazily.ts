import type { Target } from '../target.js';
import type { KubernetesOptions } from './target.js';

/**
 * A Secret in the cluster that this process finds. A Refused when it finds none. The client of Kubernetes takes a second
 * to load, so that happens here only.
 */
export async function secretTarget(options: KubernetesOptions): Promise<Target> {
  const { findCluster } = await import('./config.js');
  const { clusterOf } = await import('./cluster.js');
  const { kubernetesTarget } = await import('./target.js');
  return kubernetesTarget(options, clusterOf(findCluster(), options.namespace));
}
