import type { GraphQLSchema } from 'graphql';
import { buildSchema } from '../schema/build.js';
import { ClusterNodeChangeResolver, PodChangeResolver } from './changes.js';
import { ClusterNodeResolver, ClusterResolver, RuntimeClassResolver } from './clusters.js';
import { NamespaceResolver } from './namespaces.js';
import { PodResolver } from './pods.js';
import { ProjectResolver } from './projects.js';
import { NamespacedResourceResolver, ResourceQueries } from './resources.js';
import { ProjectMembershipResolver, ViewerResolver } from './viewer.js';
import { CronJobResolver, JobResolver, WorkloadResolver } from './workloads.js';

/** The schema that the gateway serves. */
export function buildGatewaySchema(): GraphQLSchema {
  return buildSchema([
    ViewerResolver,
    ProjectMembershipResolver,
    ResourceQueries,
    NamespacedResourceResolver,
    ClusterResolver,
    RuntimeClassResolver,
    ClusterNodeResolver,
    ProjectResolver,
    NamespaceResolver,
    WorkloadResolver,
    JobResolver,
    CronJobResolver,
    PodResolver,
    PodChangeResolver,
    ClusterNodeChangeResolver,
  ]);
}
