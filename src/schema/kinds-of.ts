import {
  getNamedType,
  isInterfaceType,
  isObjectType,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type DocumentNode,
  type GraphQLSchema,
} from 'graphql';
import { nodes } from '../domain/kinds/nodes.js';
import { pods } from '../domain/kinds/pods.js';
import { replicaSets } from '../domain/kinds/replica-sets.js';
import { runtimeClasses } from '../domain/kinds/runtime-classes.js';
import { cronJobs, daemonSets, deployments, jobs, statefulSets, workloadKinds } from '../domain/kinds/workloads.js';
import type { Kind } from '../k8s/kind.js';
import { namespaces } from '../k8s/namespaces.js';

/** What every answer about objects depends on: whose one is, which workload a pod belongs to, and whether it has a kernel of its own. */
const standing: readonly Kind[] = [namespaces, replicaSets, runtimeClasses];

/** What the fields of a type read: its own objects, the pods of its sums and orders, and the owners of pods, which their filters look up. */
const kindsBehind: Readonly<Record<string, readonly Kind[]>> = {
  Project: [namespaces],
  Namespace: [namespaces],
  RuntimeClass: [runtimeClasses],
  Cluster: [nodes, pods],
  ClusterNode: [nodes, pods],
  Pod: [pods, ...workloadKinds],
  Deployment: [deployments, pods],
  StatefulSet: [statefulSets, pods],
  DaemonSet: [daemonSets, pods],
  Job: [jobs, cronJobs, pods],
  CronJob: [cronJobs, jobs, pods],
};

/**
 * The kinds that an operation can read, so that their first sync is awaited before it runs; none where it reads no object. Told by the types that its fields lead to; an interface
 * leads to all that implement it.
 */
export function kindsOf(document: DocumentNode, schema: GraphQLSchema, operationName: string | undefined): readonly Kind[] {
  const found = new Set<Kind>();
  const types = new TypeInfo(schema);
  visit(
    document,
    visitWithTypeInfo(types, {
      OperationDefinition: ({ name }) => (operationName === undefined || name?.value === operationName ? undefined : false),
      Field() {
        const type = getNamedType(types.getType());
        const reached = isInterfaceType(type) ? schema.getPossibleTypes(type) : isObjectType(type) ? [type] : [];
        for (const { name } of reached) for (const kind of kindsBehind[name] ?? []) found.add(kind);
        // A page or a change reads its objects, whether or not they are asked for.
        const carried = /^(.+)(?:Connection|Edge|Change)$/.exec(type?.name ?? '')?.[1];
        if (carried === 'Workload') for (const kind of [...workloadKinds, pods]) found.add(kind);
        else if (carried !== undefined) for (const kind of kindsBehind[carried] ?? []) found.add(kind);
      },
    }),
  );
  // Who asks for nothing of a cluster waits for none.
  return found.size === 0 ? [] : [...new Set([...standing, ...found])];
}
