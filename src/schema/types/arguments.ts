import { ArgsType, Field, Int } from 'type-graphql';
import { ClusterNodeFilter, ClusterNodeOrder } from './cluster.js';
import { NamespaceFilter } from './namespace.js';
import { PodFilter, PodOrder } from './pod.js';
import { WorkloadFilter, WorkloadOrder } from './workload.js';

/** Which part of a list. */
@ArgsType()
export class PageArguments {
  @Field(() => Int, { nullable: true, defaultValue: 50, description: 'Items of the page, 1 to 500.' })
  first?: number | null;
  @Field(() => String, { nullable: true, description: 'A cursor of the same query: the page begins behind it.' })
  after?: string | null;
  @Field(() => Int, { nullable: true, description: 'Items to skip, for numbered pages; not together with `after`.' })
  offset?: number | null;
}

@ArgsType()
export class ProjectArguments extends PageArguments {
  @Field(() => String, { nullable: true, description: 'Part of the name; upper and lower case are the same.' })
  search?: string | null;
}

@ArgsType()
export class NamespaceArguments extends PageArguments {
  @Field(() => NamespaceFilter, { nullable: true, description: 'All where it is left out.' })
  filter?: NamespaceFilter | null;
}

@ArgsType()
export class ClusterNodeArguments extends PageArguments {
  @Field(() => ClusterNodeFilter, { nullable: true, description: 'All where it is left out.' })
  filter?: ClusterNodeFilter | null;
  @Field(() => ClusterNodeOrder, { nullable: true, description: 'By name where it is left out.' })
  orderBy?: ClusterNodeOrder | null;
}

@ArgsType()
export class WorkloadArguments extends PageArguments {
  @Field(() => WorkloadFilter, { nullable: true, description: 'All where it is left out.' })
  filter?: WorkloadFilter | null;
  @Field(() => WorkloadOrder, { nullable: true, description: 'By namespace and name where it is left out.' })
  orderBy?: WorkloadOrder | null;
}

@ArgsType()
export class PodArguments extends PageArguments {
  @Field(() => PodFilter, { nullable: true, description: 'All where it is left out.' })
  filter?: PodFilter | null;
  @Field(() => PodOrder, { nullable: true, description: 'By namespace and name where it is left out.' })
  orderBy?: PodOrder | null;
}
