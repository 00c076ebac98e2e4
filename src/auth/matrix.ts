/** The product's roles, highest first; READER is what USER may read, and nothing else. */
export const roles = ['CLOUD_ADMIN', 'DEPARTMENT_ADMIN', 'PROJECT_ADMIN', 'USER', 'READER'] as const;
export type Role = (typeof roles)[number];

/** `ALL`: objects of every project. `JOINED_PROJECTS`: only of projects that the viewer has joined. */
export const permissionScopes = ['ALL', 'JOINED_PROJECTS', 'NONE'] as const;
export type PermissionScope = (typeof permissionScopes)[number];

/**
 * The product's table: function, the product's group and title of it, and who holds it beside cloud administrators, who hold everything:
 * nobody (`-`), the administrators of departments and projects (`A`), or they and users (`U`); both in joined projects only. The first 61 rows
 * are the product's, in its order; those below are what this gateway adds. A blank is a no.
 */
const table = [
  ['CLUSTER_VIEW', '集群管理', '信息展示', '-'],
  ['NODE_VIEW', '节点管理', '信息展示', '-'],
  ['NODE_SCHEDULE', '节点管理', '开始/停止调度', '-'],
  ['NODE_LABEL', '节点管理', '标签管理', '-'],
  ['NODE_TAINT', '节点管理', '污点管理', '-'],
  ['NAMESPACE_VIEW', '命名空间', '信息展示', 'A'],
  ['NAMESPACE_CREATE', '命名空间', '创建命名空间', 'A'],
  ['NAMESPACE_DELETE', '命名空间', '删除', 'A'],
  ['STORAGE_VIEW', '存储管理', '信息展示', 'A'],
  ['STORAGE_CLASS_YAML_VIEW', '存储管理', '查看存储类Yaml', 'A'],
  ['PERSISTENT_VOLUME_YAML_VIEW', '存储管理', '查看持久卷Yaml', 'A'],
  ['PERSISTENT_VOLUME_DELETE', '存储管理', '删除持久卷', 'A'],
  ['WORKLOAD_VIEW', '工作负载', '信息展示', 'U'],
  ['DEPLOYMENT_CREATE', '工作负载', '创建部署', 'U'],
  ['STATEFUL_SET_CREATE', '工作负载', '创建有状态副本集', 'U'],
  ['DAEMON_SET_CREATE', '工作负载', '创建守护进程集', 'U'],
  ['JOB_CREATE', '工作负载', '创建任务', 'U'],
  ['CRON_JOB_CREATE', '工作负载', '创建定时任务', 'U'],
  ['WORKLOAD_CONTAINERS', '工作负载', '容器配置', 'U'],
  ['WORKLOAD_SCALE', '工作负载', '手动伸缩', 'U'],
  ['WORKLOAD_ROLLBACK', '工作负载', '版本回滚', 'U'],
  ['WORKLOAD_UPDATE_STRATEGY', '工作负载', '升级策略', 'U'],
  ['WORKLOAD_AUTOSCALING', '工作负载', '伸缩策略', 'U'],
  ['WORKLOAD_SCHEDULING', '工作负载', '调度策略', 'U'],
  ['WORKLOAD_NETWORK', '工作负载', '网络设置', 'U'],
  ['WORKLOAD_LABEL', '工作负载', '标签设置', 'U'],
  ['WORKLOAD_YAML_EDIT', '工作负载', '编辑Yaml', 'U'],
  ['WORKLOAD_START_STOP', '工作负载', '启动/停止', 'U'],
  ['WORKLOAD_REDEPLOY', '工作负载', '重新部署', 'U'],
  ['WORKLOAD_DELETE', '工作负载', '删除', 'U'],
  ['CRON_JOB_RUN_STOP', '工作负载', '运行/停止定时任务', 'U'],
  ['POD_YAML_VIEW', '工作负载', '查看容器组Yaml', 'U'],
  ['POD_LOGS', '工作负载', '容器日志', 'U'],
  ['POD_TERMINAL', '工作负载', '容器终端', 'U'],
  ['POD_DELETE', '工作负载', '删除容器组', 'U'],
  ['PERSISTENT_VOLUME_CLAIM_VIEW', '持久卷声明', '信息展示', 'U'],
  ['PERSISTENT_VOLUME_CLAIM_CREATE', '持久卷声明', '创建持久卷声明', 'U'],
  ['PERSISTENT_VOLUME_CLAIM_YAML_EDIT', '持久卷声明', '编辑Yaml', 'U'],
  ['PERSISTENT_VOLUME_CLAIM_DELETE', '持久卷声明', '删除', 'U'],
  ['CONFIG_VIEW', '配置中心', '信息展示', 'U'],
  ['CONFIG_MAP_CREATE', '配置中心', '创建配置', 'U'],
  ['CONFIG_MAP_UPDATE', '配置中心', '更新配置', 'U'],
  ['CONFIG_MAP_YAML_EDIT', '配置中心', '编辑配置Yaml', 'U'],
  ['CONFIG_MAP_DELETE', '配置中心', '删除配置', 'U'],
  ['SECRET_CREATE', '配置中心', '创建密钥', 'U'],
  ['SECRET_UPDATE', '配置中心', '更新密钥', 'U'],
  ['SECRET_YAML_EDIT', '配置中心', '编辑密钥Yaml', 'U'],
  ['SECRET_DELETE', '配置中心', '删除密钥', 'U'],
  ['NETWORK_VIEW', '网络管理', '信息展示', 'U'],
  ['SERVICE_CREATE', '网络管理', '创建服务', 'U'],
  ['SERVICE_UPDATE', '网络管理', '更新服务', 'U'],
  ['SERVICE_YAML_EDIT', '网络管理', '编辑服务Yaml', 'U'],
  ['SERVICE_DELETE', '网络管理', '删除服务', 'U'],
  ['INGRESS_CREATE', '网络管理', '创建Ingress', 'U'],
  ['INGRESS_UPDATE', '网络管理', '更新Ingress', 'U'],
  ['INGRESS_YAML_EDIT', '网络管理', '编辑Ingress Yaml', 'U'],
  ['INGRESS_DELETE', '网络管理', '删除Ingress', 'U'],
  ['CUSTOM_RESOURCE_VIEW', '自定义资源', '信息展示', 'U'],
  ['CUSTOM_RESOURCE_DEFINITION_IMPORT', '自定义资源', '使用Yaml导入自定义资源描述', '-'],
  ['CUSTOM_RESOURCE_IMPORT', '自定义资源', '使用Yaml导入自定义资源', 'U'],
  ['CUSTOM_RESOURCE_DELETE', '自定义资源', '删除自定义资源', 'U'],

  ['QUOTA_VIEW', '配额', '查看配额', 'U'],
  ['QUOTA_UPDATE', '配额', '设置配额', '-'],
  ['GPU_VIEW', 'GPU', '信息展示', 'U'],
  ['NETWORK_ISOLATION_UPDATE', '网络隔离', '设置网络隔离', 'A'],
  ['PLATFORM_VIEW', '平台', '信息展示', '-'],
  ['AUDIT_VIEW', '审计', '查看审计日志', 'A'],
] as const;

type Table = typeof table;
export type PermissionFunction = Table[number][0];

/** In the order of the product's table, the gateway's own at the end. */
export const permissionFunctions = table.map(([name]) => name) as unknown as Names<Table>;
type Names<Rows extends readonly (readonly [string, ...string[]])[]> = { readonly [Row in keyof Rows]: Rows[Row][0] };

/** One row of the matrix for one role. */
export interface PermissionRule {
  readonly function: PermissionFunction;
  /** The product's own name of the function, such as 手动伸缩. */
  readonly title: string;
  /** The product's own group, such as 工作负载. */
  readonly group: string;
  readonly role: Role;
  readonly scope: PermissionScope;
}

/** What the READER, whom the product's table does not know, may read beside what is named `…_VIEW`. */
const readable: ReadonlySet<PermissionFunction> = new Set(['POD_LOGS']);

function scopeInRow([name, , , held]: Table[number], role: Role): PermissionScope {
  switch (role) {
    case 'CLOUD_ADMIN':
      return 'ALL';
    case 'DEPARTMENT_ADMIN':
    case 'PROJECT_ADMIN':
      return held === '-' ? 'NONE' : 'JOINED_PROJECTS';
    case 'USER':
      return held === 'U' ? 'JOINED_PROJECTS' : 'NONE';
    case 'READER':
      return held === 'U' && (name.endsWith('_VIEW') || readable.has(name)) ? 'JOINED_PROJECTS' : 'NONE';
  }
}

const rules: readonly PermissionRule[] = Object.freeze(
  table.flatMap((row) =>
    roles.map((role) => Object.freeze({ function: row[0], group: row[1], title: row[2], role, scope: scopeInRow(row, role) })),
  ),
);

const scopes: ReadonlyMap<Role, ReadonlyMap<PermissionFunction, PermissionScope>> = new Map(
  roles.map((role) => [role, new Map(rules.filter((rule) => rule.role === role).map((rule) => [rule.function, rule.scope]))]),
);

/** The whole matrix: one rule per function and role, functions in their order and roles from the highest. */
export function permissionRules(): readonly PermissionRule[] {
  return rules;
}

/** What a role is given by the matrix; `NONE` for what the matrix does not know. */
export function scopeOf(role: Role, permission: PermissionFunction): PermissionScope {
  return scopes.get(role)?.get(permission) ?? 'NONE';
}

export function isPermissionFunction(text: string): text is PermissionFunction {
  return (permissionFunctions as readonly string[]).includes(text);
}

export function isRole(text: unknown): text is Role {
  return (roles as readonly unknown[]).includes(text);
}

/** The higher of two roles; either may be missing. */
export function higherRole(one: Role | undefined, other: Role | undefined): Role | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return roles.indexOf(one) <= roles.indexOf(other) ? one : other;
}

const viewFunctions: ReadonlyMap<string, PermissionFunction> = new Map<string, PermissionFunction>([
  ['Node', 'NODE_VIEW'],
  ['RuntimeClass', 'CLUSTER_VIEW'],
  ['Namespace', 'NAMESPACE_VIEW'],
  ['Pod', 'WORKLOAD_VIEW'],
  ['ReplicaSet', 'WORKLOAD_VIEW'],
  ['Deployment', 'WORKLOAD_VIEW'],
  ['StatefulSet', 'WORKLOAD_VIEW'],
  ['DaemonSet', 'WORKLOAD_VIEW'],
  ['Job', 'WORKLOAD_VIEW'],
  ['CronJob', 'WORKLOAD_VIEW'],
  ['PersistentVolumeClaim', 'PERSISTENT_VOLUME_CLAIM_VIEW'],
  ['PersistentVolume', 'STORAGE_VIEW'],
  ['StorageClass', 'STORAGE_VIEW'],
  ['Service', 'NETWORK_VIEW'],
  ['Ingress', 'NETWORK_VIEW'],
  ['ConfigMap', 'CONFIG_VIEW'],
  ['Secret', 'CONFIG_VIEW'],
  ['CustomResourceDefinition', 'CUSTOM_RESOURCE_VIEW'],
]);

/**
 * The function that governs seeing objects of a kind.
 * @param kind Kubernetes' own name, such as `StatefulSet`.
 * @throws Error for a kind that has none: nobody may see it, not by oversight either.
 */
export function viewFunctionOf(kind: string): PermissionFunction {
  const found = viewFunctions.get(kind);
  if (found === undefined) throw new Error(`No permission function governs objects of the kind ${kind}.`);
  return found;
}
