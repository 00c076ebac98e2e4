import { Field, ID, ObjectType } from 'type-graphql';
import { connectionOf } from './connection.js';
import { Node } from './resource.js';

@ObjectType({ simpleResolvers: true, description: 'What projects are grouped by.' })
export class Department {
  @Field(() => ID, { description: "The parent platform's own id." })
  id!: string;
  @Field(() => String, { description: 'As the parent platform calls it; not unique.' })
  name!: string;
}

@ObjectType({ simpleResolvers: true, description: 'A namespace by its cluster and name.' })
export class NamespaceName {
  @Field(() => String, { description: 'The cluster that holds it.' })
  clusterName!: string;
  @Field(() => String, { description: 'Unique in its cluster.' })
  name!: string;
}

@ObjectType({
  implements: [Node],
  simpleResolvers: true,
  description:
    'A tenant: the unit of membership, quota and network isolation. A label that names an unknown project gives a project whose name is the id.',
})
export class Project {
  @Field(() => ID, { description: "The parent platform's own id." })
  id!: string;
  @Field(() => String, { description: 'As the parent platform calls it; not unique.' })
  name!: string;
  @Field(() => Department, { nullable: true, description: 'The department (Keystone domain) that the project belongs to.' })
  department!: Department | null;
}

export const ProjectConnection = connectionOf(() => Project, 'Project', 'projects');
