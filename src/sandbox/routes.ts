import { findResource, resourceTypes, type ResourceType, type Subresource } from './resources.js';
import { badRequest, StatusError } from './status.js';

/** What a path asks for. */
export type Target =
  | {
      readonly to: 'resource';
      readonly type: ResourceType;
      readonly namespace: string | undefined;
      readonly name: string;
      readonly subresource: Subresource | undefined;
    }
  /** All of one kind, in one namespace or in all. */
  | { readonly to: 'collection'; readonly type: ResourceType; readonly namespace: string | undefined }
  | { readonly to: 'bindings'; readonly namespace: string }
  | { readonly to: 'discovery'; readonly level: 'api' | 'apis' | 'group' | 'version'; readonly name: string }
  | { readonly to: 'openapi'; readonly document: string }
  | { readonly to: 'health' | 'version' | 'root' };

/** The path leads nowhere that the API knows of. */
export function noSuchPath(): StatusError {
  return new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});
}

const groupNames = new Set(resourceTypes.map((type) => type.group));

/** @throws StatusError 404 for what is no path of the API, 400 for broken escapes. */
export function parsePath(path: string): Target {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    throw badRequest('invalid URL escape');
  }
  const parts = decoded.replace(/^\//, '').replace(/\/$/, '').split('/');
  const [root = ''] = parts;
  if (parts.length > 1 && parts.includes('')) throw noSuchPath();
  switch (root) {
    case '':
      return { to: 'root' };
    case 'version':
      if (parts.length === 1) return { to: 'version' };
      break;
    case 'healthz':
    case 'livez':
    case 'readyz':
      return { to: 'health' };
    case 'openapi':
      return { to: 'openapi', document: parts.slice(1).join('/') };
    case 'api':
      if (parts.length === 1) return { to: 'discovery', level: 'api', name: '' };
      if (parts[1] === 'v1') return parseVersioned('', 'v1', parts.slice(2));
      break;
    case 'apis': {
      const [, group = '', version = ''] = parts;
      if (parts.length === 1) return { to: 'discovery', level: 'apis', name: '' };
      if (group === '' || !groupNames.has(group)) break;
      if (parts.length === 2) return { to: 'discovery', level: 'group', name: group };
      return parseVersioned(group, version, parts.slice(3));
    }
  }
  throw noSuchPath();
}

function parseVersioned(group: string, version: string, rest: readonly string[]): Target {
  if (rest.length === 0) return { to: 'discovery', level: 'version', name: group === '' ? version : `${group}/${version}` };
  // The namespace's own subresources share the place of the resources inside it.
  const isInside = rest[0] === 'namespaces' && rest.length > 2 && !(group === '' && rest.length === 3 && rest[2] === 'status');
  const namespace = isInside ? rest[1] : undefined;
  const [plural = '', name, subresource, ...more] = isInside ? rest.slice(2) : rest;
  if (group === '' && plural === 'bindings' && namespace !== undefined && name === undefined) return { to: 'bindings', namespace };
  const type = findResource(group === '' ? plural : `${plural}.${group}`);
  if (type === undefined || type.version !== version || more.length > 0) throw noSuchPath();
  if (name === undefined) {
    if (!type.namespaced && namespace !== undefined) throw noSuchPath();
    return { to: 'collection', type, namespace };
  }
  if (type.namespaced !== (namespace !== undefined)) throw noSuchPath();
  const known = type.subresources.find((each) => each === subresource);
  if (subresource !== undefined && known === undefined) throw noSuchPath();
  return { to: 'resource', type, namespace, name, subresource: known };
}
