import { Field, ID, ObjectType } from 'type-graphql';
import { ChangeType, type ValueOf } from '../enums.js';
import { UnavailableCluster } from './resource.js';

@ObjectType({
  simpleResolvers: true,
  description:
    'The id is set for ADDED, MODIFIED and DELETED; the object for ADDED and MODIFIED; at SYNCED, the clusters whose part is missing, which follows as ADDED when they are back. `cursor` resumes after this change, on any replica.',
})
export class PodChange {
  @Field(() => ChangeType, { description: 'What happened.' })
  type!: ValueOf<typeof ChangeType>;
  @Field(() => String, { description: 'Resumes after this change, on any replica.' })
  cursor!: string;
  @Field(() => ID, { nullable: true, description: 'Null for SYNCED and RESET.' })
  podId!: string | null;
  @Field(() => [UnavailableCluster], { nullable: true, description: 'At SYNCED: clusters whose part is missing.' })
  unavailableClusters!: UnavailableCluster[] | null;
}

@ObjectType({
  simpleResolvers: true,
  description:
    'The id is set for ADDED, MODIFIED and DELETED; the object for ADDED and MODIFIED. `cursor` resumes after this change, on any replica.',
})
export class ClusterNodeChange {
  @Field(() => ChangeType, { description: 'What happened.' })
  type!: ValueOf<typeof ChangeType>;
  @Field(() => String, { description: 'Resumes after this change, on any replica.' })
  cursor!: string;
  @Field(() => ID, { nullable: true, description: 'Null for SYNCED and RESET.' })
  nodeId!: string | null;
}
