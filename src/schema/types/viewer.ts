import { Field, ID, ObjectType } from 'type-graphql';
import { PermissionFunction, PermissionScope, Role, type ValueOf } from '../enums.js';
import { DateTime } from '../scalars.js';

@ObjectType({ simpleResolvers: true, description: 'What one role may do: a cell of the permission matrix.' })
export class PermissionRule {
  @Field(() => PermissionFunction, { description: 'The row.' })
  function!: ValueOf<typeof PermissionFunction>;
  @Field(() => String, { description: "The product's own name of the function, such as 手动伸缩." })
  title!: string;
  @Field(() => String, { description: "The product's own group, such as 工作负载." })
  group!: string;
  @Field(() => Role, { description: 'The column.' })
  role!: ValueOf<typeof Role>;
  @Field(() => PermissionScope, { description: 'How far the function reaches for that role.' })
  scope!: ValueOf<typeof PermissionScope>;
}

@ObjectType({ simpleResolvers: true, description: 'A project that the viewer has joined.' })
export class ProjectMembership {
  @Field(() => Role, { description: 'The highest role held there.' })
  role!: ValueOf<typeof Role>;
}

@ObjectType({ simpleResolvers: true, description: 'What the viewer may do by one function.' })
export class ViewerPermission {
  @Field(() => PermissionFunction, { description: 'Of the permission matrix.' })
  function!: ValueOf<typeof PermissionFunction>;
  @Field(() => PermissionScope, { description: 'How far it reaches.' })
  scope!: ValueOf<typeof PermissionScope>;
}

@ObjectType({
  simpleResolvers: true,
  description: 'Who is asking. A decision uses the role that the viewer holds in the project of the object.',
})
export class Viewer {
  @Field(() => ID, { description: 'Starts with `user:`.' })
  id!: string;
  @Field(() => String, { description: 'As the sign-in names them.' })
  name!: string;
  @Field(() => Role, { nullable: true, description: 'The highest role that the viewer holds anywhere; null where none is held.' })
  role!: ValueOf<typeof Role> | null;
  @Field(() => DateTime, { nullable: true, description: 'When the sign-in ends.' })
  expiresAt!: string | null;
}
