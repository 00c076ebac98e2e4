import { GatewayError } from '../errors.js';
import type { Kind } from './kind.js';

/** Which object, list or subresource of a kind. Without `name` the list; without `namespace` that of all namespaces. */
export interface ResourcePath {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  /** Such as `log` or `scale`. */
  readonly subresource?: string | undefined;
}

const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

/** Kubernetes' rule for most names: a DNS subdomain of at most 253 characters. */
export function isObjectName(name: string): boolean {
  return name.length <= 253 && subdomain.test(name);
}

/** Kubernetes' rule for names of namespaces: a DNS label of at most 63 characters. */
export function isNamespaceName(name: string): boolean {
  return name.length <= 63 && label.test(name);
}

/**
 * Where the API server serves it.
 * @throws GatewayError `BAD_USER_INPUT` for a name that Kubernetes would not allow, so that no name can lead to another path.
 */
export function resourcePath(kind: Pick<Kind, 'apiVersion' | 'plural'>, at: ResourcePath = {}): string {
  const { namespace, name, subresource } = at;
  const [group, version, ...more] = kind.apiVersion.split('/');
  if (
    group === undefined ||
    more.length > 0 ||
    !isObjectName(group) ||
    (version !== undefined && !isNamespaceName(version)) ||
    !isObjectName(kind.plural)
  ) {
    throw new GatewayError('BAD_USER_INPUT', 'This is no kind of object that Kubernetes allows.');
  }
  const segments = version === undefined ? ['api', group] : ['apis', group, version];
  if (namespace !== undefined) {
    if (!isNamespaceName(namespace)) throw new GatewayError('BAD_USER_INPUT', 'This is no name that Kubernetes allows for a namespace.');
    segments.push('namespaces', namespace);
  }
  segments.push(kind.plural);
  if (name !== undefined) {
    if (!isObjectName(name)) throw new GatewayError('BAD_USER_INPUT', 'This is no name that Kubernetes allows for an object.');
    segments.push(name);
    if (subresource !== undefined) {
      if (!isNamespaceName(subresource)) throw new GatewayError('BAD_USER_INPUT', 'This is no subresource that Kubernetes allows.');
      segments.push(subresource);
    }
  }
  return `/${segments.join('/')}`;
}

/** Whether a path is plain: absolute, without escapes, empty segments, `.` or `..`. */
export function isPlainPath(path: string): boolean {
  return path.length <= 2048 && /^(\/[A-Za-z0-9_~:-][A-Za-z0-9._~:-]*)+$/.test(path);
}
