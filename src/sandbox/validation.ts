import type { JsonObject } from './json.js';
import type { ResourceType } from './resources.js';
import type { ResourceName, SandboxObject } from './storage.js';

export interface Lookup {
  get(resource: ResourceName, namespace: string | undefined, name: string): SandboxObject | undefined;
}

/** Fills in and checks an object that is about to be created; changes it in place. @throws StatusError where it is refused. */
export function prepareCreate(type: ResourceType, object: SandboxObject, _lookup: Lookup): void {
  if (type.resource === 'namespaces') {
    object.metadata.labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': object.metadata.name };
    object.spec = { finalizers: ['kubernetes'] };
    object.status = { phase: 'Active' };
  }
}

/** The same for a replacement. */
export function prepareUpdate(_type: ResourceType, _next: SandboxObject, _current: SandboxObject, _lookup: Lookup): void {}

/** The same for a change of status alone. */
export function prepareStatus(_type: ResourceType, _next: SandboxObject, _current: SandboxObject): void {}

/** Seconds that a deletion waits for the object to end by itself. */
export function graceOf(type: ResourceType, object: SandboxObject, asked: number | undefined): number {
  if (type.resource !== 'pods') return 0;
  const spec = (object.spec ?? {}) as JsonObject;
  const { phase } = (object.status ?? {}) as JsonObject;
  if (spec.nodeName === undefined || spec.nodeName === '' || phase === 'Succeeded' || phase === 'Failed') return 0;
  const seconds = asked ?? (typeof spec.terminationGracePeriodSeconds === 'number' ? spec.terminationGracePeriodSeconds : 30);
  return seconds < 0 ? 1 : seconds;
}
