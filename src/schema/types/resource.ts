import { Field, Float, ID, Int, InterfaceType, ObjectType } from 'type-graphql';
import { BigInt, DateTime } from '../scalars.js';

/** Where the built schema's interfaces are declared; what implements them lists every one, because type-graphql does not go up the chain. */
@InterfaceType({ description: "Relay's Global Object Identification: what can be asked for again by its id." })
export abstract class Node {
  @Field(() => ID, { description: 'Opaque; the same on every replica and after a restart.' })
  id!: string;
}

@ObjectType({ simpleResolvers: true, description: 'A key and its value, such as a label.' })
export class KeyValue {
  @Field(() => String, { description: 'Unique within its list.' })
  key!: string;
  @Field(() => String, { description: 'May be empty.' })
  value!: string;
}

@InterfaceType({ implements: [Node], description: 'An object of Kubernetes.' })
export abstract class Resource {
  @Field(() => String, { description: 'Such as `apps/v1`.' })
  apiVersion!: string;
  @Field(() => String, { description: 'Such as `Deployment`.' })
  kind!: string;
  @Field(() => String, { description: "Kubernetes' own identity of the object: a name that is used again has another." })
  uid!: string;
  @Field(() => String, { description: 'Unique in its namespace, or in its cluster where it has none.' })
  name!: string;
  @Field(() => String, { description: 'The cluster that holds the object, by its configured name.' })
  clusterName!: string;
  @Field(() => [KeyValue], { description: 'What selectors choose by; in the order of their keys.' })
  labels!: KeyValue[];
  @Field(() => [KeyValue], { description: 'Notes of people and tools, in the order of their keys; without `last-applied-configuration`.' })
  annotations!: KeyValue[];
  @Field(() => DateTime, { description: 'When the API server made it.' })
  createdAt!: string;
  @Field(() => DateTime, { nullable: true, description: 'When its deletion was asked for; null while nobody did.' })
  deletionRequestedAt!: string | null;
  @Field(() => [String], { description: 'What must happen before a deletion is done.' })
  finalizers!: string[];
  @Field(() => String, { description: "The object's version, for changes that depend on what was read." })
  resourceVersion!: string;
  @Field(() => String, { nullable: true, description: 'The whole object as YAML, without managed fields.' })
  yaml!: string | null;
}

@InterfaceType({ implements: [Resource, Node], description: 'An object in a namespace.' })
export abstract class NamespacedResource {
  @Field(() => String, { description: 'The namespace that the object is in, by name.' })
  namespaceName!: string;
}

@ObjectType({ simpleResolvers: true, description: "One of an object's own statements about itself." })
export class Condition {
  @Field(() => String, { description: 'Such as `Available`.' })
  type!: string;
  @Field(() => String, { description: '`True`, `False` or `Unknown`.' })
  status!: string;
  @Field(() => String, { nullable: true, description: 'Why, in one word.' })
  reason!: string | null;
  @Field(() => String, { nullable: true, description: 'Why, in words.' })
  message!: string | null;
  @Field(() => DateTime, { nullable: true, description: 'When `status` last became another.' })
  lastTransitionAt!: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'CPU in cores, memory and storage in bytes, GPUs of every vendor in devices.' })
export class ResourceAmounts {
  @Field(() => Float, { description: 'Cores, in thousandths at the finest.' })
  cpuCores!: number;
  @Field(() => BigInt, { description: 'Bytes of memory.' })
  memoryBytes!: number;
  @Field(() => BigInt, { description: "Bytes of the node's own disk." })
  ephemeralStorageBytes!: number;
  @Field(() => Int, { description: 'Pods.' })
  pods!: number;
  @Field(() => Int, { description: 'Devices, of every vendor.' })
  gpus!: number;
}

@ObjectType({ simpleResolvers: true, description: 'Where a page stands in its list.' })
export class PageInfo {
  @Field(() => Boolean, { description: 'Whether anything comes behind this page.' })
  hasNextPage!: boolean;
  @Field(() => Boolean, { description: 'Whether anything comes before this page.' })
  hasPreviousPage!: boolean;
  @Field(() => String, { nullable: true, description: 'Of the first item; null on an empty page.' })
  startCursor!: string | null;
  @Field(() => String, { nullable: true, description: 'Of the last item, for `after`; null on an empty page.' })
  endCursor!: string | null;
}

@ObjectType({
  simpleResolvers: true,
  description:
    'A cluster whose part of an answer is missing (`staleSince` null) or as old as `staleSince`. `message` is one of a few fixed sentences.',
})
export class UnavailableCluster {
  @Field(() => String, { description: "The cluster's configured name." })
  clusterName!: string;
  @Field(() => String, { description: 'Why, for people.' })
  message!: string;
  @Field(() => DateTime, { nullable: true, description: 'Since when its part is not kept current; null where the part is missing.' })
  staleSince!: string | null;
}
