import { resourceTypes, type ResourceType, type Subresource } from './resources.js';

/** The version of Kubernetes whose API the embedded cluster follows; the suffix says that it is not Kubernetes. */
export const standardVersion = 'v1.36.3+sandbox';

/** What `/version` answers. @param gitVersion Such as `v1.36.3`. */
export function versionInfo(gitVersion: string): object {
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(gitVersion) ?? [];
  return {
    major,
    minor,
    gitVersion,
    gitCommit: '',
    gitTreeState: '',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: '',
    compiler: '',
    platform: `${process.platform}/${process.arch}`,
  };
}

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

interface SubresourceForm {
  kind?: string;
  group?: string;
  version?: string;
  verbs: string[];
}

/** Subresources that are served; what answers `NotImplemented` is not told of. */
const subresourceForms: Partial<Record<Subresource, SubresourceForm>> = {
  status: { verbs: ['get', 'patch', 'update'] },
  scale: { kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: ['get', 'patch', 'update'] },
  log: { verbs: ['get'] },
  binding: { kind: 'Binding', verbs: ['create'] },
  eviction: { kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] },
};

function formsOf(type: ResourceType): { name: Subresource; form: SubresourceForm }[] {
  return type.subresources.flatMap((name) => {
    const form = subresourceForms[name];
    return form === undefined ? [] : [{ name, form }];
  });
}

function apiResources(type: ResourceType): object[] {
  const own = {
    name: type.plural,
    singularName: type.singular,
    namespaced: type.namespaced,
    kind: type.kind,
    verbs,
    ...(type.shortNames.length === 0 ? {} : { shortNames: type.shortNames }),
    ...(type.categories.length === 0 ? {} : { categories: type.categories }),
  };
  const subs = formsOf(type).map(({ name, form }) => ({
    name: `${type.plural}/${name}`,
    singularName: '',
    namespaced: type.namespaced,
    ...(form.group === undefined ? {} : { group: form.group, version: form.version }),
    kind: form.kind ?? type.kind,
    verbs: form.verbs,
  }));
  return [own, ...subs];
}

/** `/api/v1`, `/apis/<group>/<version>`; undefined where there is no such version. */
export function resourceList(apiVersion: string): object | undefined {
  const types = resourceTypes.filter((type) => type.apiVersion === apiVersion);
  if (types.length === 0) return undefined;
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersion, resources: types.flatMap(apiResources) };
}

const groups = [...new Set(resourceTypes.map((type) => type.group))].filter((name) => name !== '');

/** `/apis/<group>`; undefined where there is no such group. */
export function apiGroup(name: string): Record<string, unknown> | undefined {
  const types = resourceTypes.filter((type) => name !== '' && type.group === name);
  const versions = [...new Set(types.map((type) => type.version))].map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return versions.length === 0 ? undefined : { kind: 'APIGroup', apiVersion: 'v1', name, versions, preferredVersion: versions[0] };
}

/** `/api`. */
export const coreVersions = { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };

/** `/apis`. */
export function apiGroupList(): object {
  const bare = groups.map((name) => ({ name, versions: apiGroup(name)?.versions, preferredVersion: apiGroup(name)?.preferredVersion }));
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: bare };
}

/** Everything of `/api` or `/apis` in one answer, for clients that ask for `APIGroupDiscoveryList`. */
export function aggregatedDiscovery(root: 'api' | 'apis'): object {
  const names = root === 'api' ? [''] : groups;
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: names.map((name) => ({
      metadata: { ...(name === '' ? {} : { name }), creationTimestamp: null },
      versions: [...new Set(resourceTypes.filter((type) => type.group === name).map((type) => type.version))].map((version) => ({
        version,
        freshness: 'Current',
        resources: resourceTypes.filter((type) => type.group === name && type.version === version).map(aggregatedResource),
      })),
    })),
  };
}

function aggregatedResource(type: ResourceType): object {
  const scope = type.namespaced ? 'Namespaced' : 'Cluster';
  return {
    resource: type.plural,
    responseKind: { group: type.group, version: type.version, kind: type.kind },
    scope,
    singularResource: type.singular,
    verbs,
    ...(type.shortNames.length === 0 ? {} : { shortNames: type.shortNames }),
    ...(type.categories.length === 0 ? {} : { categories: type.categories }),
    ...(formsOf(type).length === 0
      ? {}
      : {
          subresources: formsOf(type).map(({ name, form }) => ({
            subresource: name,
            responseKind: { group: form.group ?? type.group, version: form.version ?? type.version, kind: form.kind ?? type.kind },
            verbs: form.verbs,
          })),
        }),
  };
}
