import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { connectionOf } from './connection.js';
import { Node, Resource } from './resource.js';

@ObjectType({
  implements: [Resource, Node],
  simpleResolvers: true,
  description: 'A part of a cluster that belongs to one project, or to none.',
})
export class Namespace {
  @Field(() => String, { description: '`Active`, or `Terminating` while it is being deleted.' })
  phase!: string;
}

export const NamespaceConnection = connectionOf(() => Namespace, 'Namespace', 'namespaces');

@InputType({ description: 'Which namespaces; all that is given must hold.' })
export class NamespaceFilter {
  @Field(() => [String], { nullable: true, description: 'In one of these clusters.' })
  clusters?: string[] | null;
  @Field(() => [ID], { nullable: true, description: 'Of one of these projects.' })
  projects?: string[] | null;
  @Field(() => String, { nullable: true, description: 'Part of the name; upper and lower case are the same.' })
  search?: string | null;
  @Field(() => String, { nullable: true, description: "In Kubernetes' text syntax, such as `stage in (test, live)`." })
  labelSelector?: string | null;
  @Field(() => String, { nullable: true, description: '`Active` or `Terminating`.' })
  phase?: string | null;
}
