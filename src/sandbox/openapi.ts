import { createHash } from 'node:crypto';
import { standardVersion } from './discovery.js';
import { allShapes, shapeNamed, type Field, type Shape } from './kind-schema.js';
import { resourceTypes, type ResourceType } from './resources.js';

/** Kinds that are no resources of their own, and where they are used. */
const furtherKinds: Readonly<Record<string, { group: string; version: string }>> = {
  Scale: { group: 'autoscaling', version: 'v1' },
  Binding: { group: '', version: 'v1' },
  Eviction: { group: 'policy', version: 'v1' },
};

const kinds = new Map<string, { group: string; version: string }>([
  ...resourceTypes.map((type): [string, ResourceType] => [type.kind, type]),
  ...Object.entries(furtherKinds),
]);

type Dialect = 'v2' | 'v3';

function scalarSchema({ scalar }: Field, dialect: Dialect): object {
  switch (scalar) {
    case 'int':
    case 'long':
      return { type: 'integer', format: scalar === 'int' ? 'int32' : 'int64' };
    case 'bool':
      return { type: 'boolean' };
    case 'float':
      return { type: 'number', format: 'double' };
    case 'bytes':
      return { type: 'string', format: 'byte' };
    case 'time':
    case 'microTime':
      return { type: 'string', format: 'date-time' };
    case 'quantity':
      return dialect === 'v2' ? { type: 'string' } : { oneOf: [{ type: 'string' }, { type: 'number' }] };
    case 'intOrString':
      return dialect === 'v2'
        ? { type: 'string', format: 'int-or-string' }
        : { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] };
    case 'any':
      return { type: 'object' };
    default:
      return { type: 'string' };
  }
}

function fullName(shape: Shape): string {
  return `${shape.packageName}.${shape.name}`;
}

function reference(shape: Shape, dialect: Dialect): object {
  return { $ref: `${dialect === 'v2' ? '#/definitions/' : '#/components/schemas/'}${fullName(shape)}` };
}

function fieldSchema(field: Field, dialect: Dialect): object {
  const item = field.shape === undefined ? scalarSchema(field, dialect) : reference(field.shape, dialect);
  const value =
    field.form === 'list' ? { type: 'array', items: item } : field.form === 'map' ? { type: 'object', additionalProperties: item } : item;
  const strategies = [...(field.isMerged ? ['merge'] : []), ...(field.retainsKeys ? ['retainKeys'] : [])];
  return {
    ...value,
    ...(strategies.length === 0 ? {} : { 'x-kubernetes-patch-strategy': strategies.join(',') }),
    ...(field.mergeKey === '' ? {} : { 'x-kubernetes-patch-merge-key': field.mergeKey }),
  };
}

function shapeSchema(shape: Shape, dialect: Dialect): object {
  const kind = kinds.get(shape.name);
  const fields = [...shape.fields.values()];
  const required = fields.filter((field) => field.isRequired).map((field) => field.name);
  const own = kind === undefined ? {} : { apiVersion: { type: 'string' }, kind: { type: 'string' } };
  return {
    type: 'object',
    ...(required.length === 0 ? {} : { required }),
    properties: { ...own, ...Object.fromEntries(fields.map((field) => [field.name, fieldSchema(field, dialect)])) },
    ...(kind === undefined ? {} : { 'x-kubernetes-group-version-kind': [{ group: kind.group, version: kind.version, kind: shape.name }] }),
  };
}

/** The types with these names, and all that they are made of. */
function reachable(names: readonly string[]): Shape[] {
  const found = new Set<Shape>();
  const visit = (shape: Shape): void => {
    if (found.has(shape)) return;
    found.add(shape);
    for (const field of shape.fields.values()) if (field.shape !== undefined) visit(field.shape);
  };
  for (const name of names) visit(shapeNamed(name));
  return [...found];
}

function operations(type: ResourceType, dialect: Dialect): object {
  const gvk = { group: type.group, version: type.version, kind: type.kind };
  const schema = reference(shapeNamed(type.kind), dialect);
  const answer =
    dialect === 'v2' ? { 200: { description: 'OK', schema } } : { 200: { description: 'OK', content: { 'application/json': { schema } } } };
  const operation = (action: string, id: string): object => ({
    operationId: `${id}${type.group}${type.version}${type.kind}`,
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvk,
    parameters: ['dryRun', 'fieldManager', 'fieldValidation'].map((name) =>
      dialect === 'v2'
        ? { name, in: 'query', type: 'string', uniqueItems: true }
        : { name, in: 'query', schema: { type: 'string', uniqueItems: true } },
    ),
    responses: answer,
  });
  return { get: operation('get', 'read'), put: operation('put', 'replace'), patch: operation('patch', 'patch') };
}

function pathsOf(types: readonly ResourceType[], dialect: Dialect): object {
  return Object.fromEntries(
    types.map((type) => {
      const root = type.group === '' ? '/api/v1' : `/apis/${type.apiVersion}`;
      return [`${root}${type.namespaced ? '/namespaces/{namespace}' : ''}/${type.plural}/{name}`, operations(type, dialect)];
    }),
  );
}

const info = { title: 'Kubernetes', version: standardVersion };
const documents = new Map<string, object>();

function made(name: string, make: () => object): object {
  let document = documents.get(name);
  if (document === undefined) documents.set(name, (document = make()));
  return document;
}

/** `/openapi/v2`: all types in one document. */
export function openApiV2(): object {
  return made('v2', () => ({
    swagger: '2.0',
    info,
    paths: pathsOf(resourceTypes, 'v2'),
    definitions: Object.fromEntries(allShapes.map((shape) => [fullName(shape), shapeSchema(shape, 'v2')])),
  }));
}

function versionPath(type: { group: string; version: string }): string {
  return type.group === '' ? `api/${type.version}` : `apis/${type.group}/${type.version}`;
}

/** `/openapi/v3`: where the document of each version is. */
export function openApiIndex(): object {
  return made('v3', () => {
    const paths = [...new Set(resourceTypes.map(versionPath))];
    const urlOf = (path: string): string => {
      const hash = createHash('sha256')
        .update(JSON.stringify(openApiV3(path)))
        .digest('hex')
        .toUpperCase();
      return `/openapi/v3/${path}?hash=${hash}`;
    };
    return { paths: Object.fromEntries(paths.map((path) => [path, { serverRelativeURL: urlOf(path) }])) };
  });
}

/** `/openapi/v3/<path>`; undefined where there is no such version. @param path Such as `apis/apps/v1`. */
export function openApiV3(path: string): object | undefined {
  const types = resourceTypes.filter((type) => versionPath(type) === path);
  if (types.length === 0) return undefined;
  return made(path, () => {
    const further = Object.entries(furtherKinds).filter(([, kind]) => versionPath(kind) === path);
    const names = [...types.map((type) => type.kind), ...further.map(([name]) => name), 'DeleteOptions'];
    return {
      openapi: '3.0.0',
      info,
      paths: pathsOf(types, 'v3'),
      components: { schemas: Object.fromEntries(reachable(names).map((shape) => [fullName(shape), shapeSchema(shape, 'v3')])) },
    };
  });
}
