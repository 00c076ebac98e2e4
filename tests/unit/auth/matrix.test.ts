import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildSchema, isEnumType } from 'graphql';
import {
  higherRole,
  permissionFunctions,
  permissionRules,
  permissionScopes,
  roles,
  scopeOf,
  viewFunctionOf,
  type Role,
} from '../../../src/auth/matrix.js';

const contract = buildSchema(readFileSync(fileURLToPath(new URL('../../../contract/schema.graphql', import.meta.url)), 'utf8'));

function valuesOf(name: string): string[] {
  const type = contract.getType(name);
  if (!isEnumType(type)) throw new Error(`${name} is no enum of the contract.`);
  return type.getValues().map((value) => value.name);
}

const held = (role: Role, functions: readonly string[] = permissionFunctions): string[] =>
  permissionRules()
    .filter((rule) => rule.role === role && rule.scope !== 'NONE' && functions.includes(rule.function))
    .map((rule) => rule.function);

/** The product document's table, page by page: its areas, and the functions of each in its words. */
const document: readonly (readonly [area: string, titles: string])[] = [
  ['集群管理', '信息展示'],
  ['节点管理', '信息展示 | 开始/停止调度 | 标签管理 | 污点管理'],
  ['命名空间', '信息展示 | 创建命名空间 | 删除'],
  ['存储管理', '信息展示 | 查看存储类Yaml | 查看持久卷Yaml | 删除持久卷'],
  [
    '工作负载',
    '信息展示 | 创建部署 | 创建有状态副本集 | 创建守护进程集 | 创建任务 | 创建定时任务 | 容器配置 | 手动伸缩 | 版本回滚 | 升级策略 | 伸缩策略 | 调度策略 | ' +
      '网络设置 | 标签设置 | 编辑Yaml | 启动/停止 | 重新部署 | 删除 | 运行/停止定时任务 | 查看容器组Yaml | 容器日志 | 容器终端 | 删除容器组',
  ],
  ['持久卷声明', '信息展示 | 创建持久卷声明 | 编辑Yaml | 删除'],
  ['配置中心', '信息展示 | 创建配置 | 更新配置 | 编辑配置Yaml | 删除配置 | 创建密钥 | 更新密钥 | 编辑密钥Yaml | 删除密钥'],
  ['网络管理', '信息展示 | 创建服务 | 更新服务 | 编辑服务Yaml | 删除服务 | 创建Ingress | 更新Ingress | 编辑Ingress Yaml | 删除Ingress'],
  ['自定义资源', '信息展示 | 使用Yaml导入自定义资源描述 | 使用Yaml导入自定义资源 | 删除自定义资源'],
];

/** The document's columns, row by row: all projects (√), joined ones (仅) or blank, for cloud administrators, administrators and users. */
const columns = [
  ...Array<string>(5).fill('√  '),
  ...Array<string>(7).fill('√仅 '),
  ...Array<string>(46).fill('√仅仅'),
  '√  ',
  ...Array<string>(2).fill('√仅仅'),
];

const product = permissionFunctions.slice(0, 61);
const gateways = permissionFunctions.slice(61);

describe('the permission matrix', () => {
  it('has the functions, roles and scopes of the contract, in its order', () => {
    expect(permissionFunctions).toEqual(valuesOf('PermissionFunction'));
    expect(roles).toEqual(valuesOf('Role'));
    expect(permissionScopes).toEqual(valuesOf('PermissionScope'));
  });

  it('has 61 functions of the product and 6 of the gateway', () => {
    expect(product.at(-1)).toBe('CUSTOM_RESOURCE_DELETE');
    expect(gateways).toEqual(['QUOTA_VIEW', 'QUOTA_UPDATE', 'GPU_VIEW', 'NETWORK_ISOLATION_UPDATE', 'PLATFORM_VIEW', 'AUDIT_VIEW']);
    expect(new Set(permissionFunctions).size).toBe(67);
  });

  it('has the areas and titles of the product document, row by row', () => {
    const rows = permissionRules().filter(({ role }) => role === 'USER');
    expect(rows.slice(0, 61).map(({ group, title }) => `${group} ${title}`)).toEqual(
      document.flatMap(([area, titles]) => titles.split(' | ').map((title) => `${area} ${title}`)),
    );
  });

  it('has the columns of the product document, row by row', () => {
    const mark = { ALL: '√', JOINED_PROJECTS: '仅', NONE: ' ' };
    const decided = (['CLOUD_ADMIN', 'DEPARTMENT_ADMIN', 'PROJECT_ADMIN', 'USER'] as const).map((role) =>
      product.map((name) => mark[scopeOf(role, name)]),
    );
    const expected = (column: number): string[] => columns.map((row) => row[column] ?? '');
    expect(decided).toEqual([expected(0), expected(1), expected(1), expected(2)]);
  });

  it('gives cloud administrators 61 rows of the product, other administrators 55, and users 48', () => {
    expect(roles.map((role) => held(role, product).length)).toEqual([61, 55, 55, 48, 7]);
  });

  it('gives cloud administrators everything everywhere, and everybody else only what is of joined projects', () => {
    for (const rule of permissionRules()) expect(rule.scope === 'ALL').toBe(rule.role === 'CLOUD_ADMIN');
  });

  it('keeps clusters, nodes and the import of definitions for cloud administrators', () => {
    const forThemAlone = product.filter((name) => scopeOf('DEPARTMENT_ADMIN', name) === 'NONE');
    expect(forThemAlone).toEqual([
      'CLUSTER_VIEW',
      'NODE_VIEW',
      'NODE_SCHEDULE',
      'NODE_LABEL',
      'NODE_TAINT',
      'CUSTOM_RESOURCE_DEFINITION_IMPORT',
    ]);
  });

  it('keeps namespaces and storage from users', () => {
    const forAdministrators = product.filter((name) => scopeOf('PROJECT_ADMIN', name) !== 'NONE' && scopeOf('USER', name) === 'NONE');
    expect(forAdministrators).toEqual([
      'NAMESPACE_VIEW',
      'NAMESPACE_CREATE',
      'NAMESPACE_DELETE',
      'STORAGE_VIEW',
      'STORAGE_CLASS_YAML_VIEW',
      'PERSISTENT_VOLUME_YAML_VIEW',
      'PERSISTENT_VOLUME_DELETE',
    ]);
  });

  it('decides its own six rows as the design has them', () => {
    expect(gateways.map((name) => roles.map((role) => scopeOf(role, name)[0]).join(''))).toEqual([
      'AJJJJ', // QUOTA_VIEW
      'ANNNN', // QUOTA_UPDATE
      'AJJJJ', // GPU_VIEW
      'AJJNN', // NETWORK_ISOLATION_UPDATE
      'ANNNN', // PLATFORM_VIEW
      'AJJNN', // AUDIT_VIEW
    ]);
  });

  it('lets a reader read what a user reads, and change nothing', () => {
    expect(held('READER')).toEqual([
      'WORKLOAD_VIEW',
      'POD_YAML_VIEW',
      'POD_LOGS',
      'PERSISTENT_VOLUME_CLAIM_VIEW',
      'CONFIG_VIEW',
      'NETWORK_VIEW',
      'CUSTOM_RESOURCE_VIEW',
      'QUOTA_VIEW',
      'GPU_VIEW',
    ]);
  });

  it('has one rule for each function and role, with a title that is unique in its group', () => {
    const rules = permissionRules();
    expect(rules).toHaveLength(67 * 5);
    expect(new Set(rules.map((rule) => `${rule.function} ${rule.role}`)).size).toBe(67 * 5);
    expect(new Set(rules.map((rule) => `${rule.group} ${rule.title}`)).size).toBe(67);
    expect(rules.find((rule) => rule.function === 'WORKLOAD_SCALE')).toMatchObject({ title: '手动伸缩', group: '工作负载' });
    expect(new Set(rules.slice(0, 61 * 5).map((rule) => rule.group))).toEqual(
      new Set(['集群管理', '节点管理', '命名空间', '存储管理', '工作负载', '持久卷声明', '配置中心', '网络管理', '自定义资源']),
    );
  });

  it('names a VIEW function for every kind that the contract knows, and none for others', () => {
    const camel = (kind: string): string =>
      kind
        .split('_')
        .map((word) => word[0] + word.slice(1).toLowerCase())
        .join('');
    for (const kind of valuesOf('ResourceKind')) expect(viewFunctionOf(camel(kind))).toMatch(/_VIEW$/);
    expect(viewFunctionOf('Node')).toBe('NODE_VIEW');
    expect(viewFunctionOf('ReplicaSet')).toBe('WORKLOAD_VIEW');
    expect(viewFunctionOf('RuntimeClass')).toBe('CLUSTER_VIEW');
    expect(() => viewFunctionOf('ClusterRole')).toThrow('ClusterRole');
    expect(() => viewFunctionOf('constructor')).toThrow();
  });

  it('tells the higher of two roles', () => {
    expect(higherRole('USER', 'PROJECT_ADMIN')).toBe('PROJECT_ADMIN');
    expect(higherRole('READER', undefined)).toBe('READER');
    expect(higherRole(undefined, undefined)).toBeUndefined();
  });
});
