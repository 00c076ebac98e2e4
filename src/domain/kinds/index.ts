import type { Kind } from '../../k8s/kind.js';
import { namespaces } from '../../k8s/namespaces.js';
import { nodes } from './nodes.js';
import { pods } from './pods.js';
import { replicaSets } from './replica-sets.js';
import { runtimeClasses } from './runtime-classes.js';
import { workloadKinds } from './workloads.js';

/** What the gateway watches in every cluster. */
export const watchedKinds: readonly Kind[] = [nodes, namespaces, runtimeClasses, replicaSets, pods, ...workloadKinds];
