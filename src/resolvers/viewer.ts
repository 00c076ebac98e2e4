import { Arg, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import type { ProjectInfo } from '../auth/access.js';
import {
  permissionFunctions,
  permissionRules,
  type PermissionScope,
  type PermissionFunction as Permission,
  type Role,
} from '../auth/matrix.js';
import { encodeViewerId } from '../domain/ids.js';
import type { Context } from '../schema/context.js';
import { PermissionFunction } from '../schema/enums.js';
import { Ungoverned } from '../schema/governance.js';
import { Project } from '../schema/types/project.js';
import { PermissionRule, ProjectMembership, Viewer, ViewerPermission } from '../schema/types/viewer.js';
import { projectInfo } from './projects.js';

interface Membership {
  readonly project: ProjectInfo;
  readonly role: Role;
}

@Resolver(() => Viewer)
export class ViewerResolver {
  @Query(() => Viewer, { description: 'Who is asking, and what they may do.' })
  @Ungoverned('Everybody may know who they are.')
  viewer(@Ctx() { access, session }: Context): object {
    const { userId, userName } = access.identity;
    return { id: encodeViewerId(userId), name: userName, role: access.highestRole, expiresAt: session.expiresAt };
  }

  @Query(() => [PermissionRule], { description: 'The whole permission matrix: one rule for each function and role.' })
  @Ungoverned('The rules are public.')
  permissionMatrix(@Ctx() { budget }: Context): object {
    const rules = permissionRules();
    return budget.take(rules.length, rules);
  }

  @FieldResolver(() => [ProjectMembership], {
    description: 'The joined projects, with the role held in each. A cloud administrator needs none.',
  })
  memberships(@Ctx() ctx: Context): Membership[] | Promise<Membership[]> {
    const found = [...ctx.access.identity.roles]
      .map(([id, role]) => ({ project: projectInfo(ctx, id), role }))
      .sort((a, b) =>
        a.project.name === b.project.name ? (a.project.id < b.project.id ? -1 : 1) : a.project.name < b.project.name ? -1 : 1,
      );
    return ctx.budget.take(found.length, found);
  }

  @FieldResolver(() => [ViewerPermission], { description: 'What the viewer may do in one project, or anywhere; one entry per function.' })
  permissions(
    @Ctx() ctx: Context,
    @Arg('project', () => ID, { nullable: true, description: 'Anywhere where it is left out.' }) project?: string | null,
  ): { function: Permission; scope: PermissionScope }[] {
    return permissionFunctions.map((name) => ({ function: name, scope: scopeFor(ctx, name, project ?? undefined) }));
  }

  @FieldResolver(() => Boolean, { description: 'In that project; without one, in at least one.' })
  can(
    @Ctx() ctx: Context,
    @Arg('function', () => PermissionFunction, { description: 'Of the permission matrix.' }) permission: Permission,
    @Arg('project', () => ID, { nullable: true, description: 'Anywhere where it is left out.' }) project?: string | null,
  ): boolean {
    return scopeFor(ctx, permission, project ?? undefined) !== 'NONE';
  }
}

@Resolver(() => ProjectMembership)
export class ProjectMembershipResolver {
  @FieldResolver(() => Project, { description: 'Which.' })
  @Ungoverned('A member may know the projects that it is a member of.')
  project(@Root() membership: Membership): ProjectInfo {
    return membership.project;
  }
}

function scopeFor({ access }: Context, permission: Permission, project: string | undefined): PermissionScope {
  if (access.projectsWith(permission) === undefined) return 'ALL';
  const allowed = project === undefined ? access.allowsAnywhere(permission) : access.allowsIn(permission, project);
  return allowed ? 'JOINED_PROJECTS' : 'NONE';
}
