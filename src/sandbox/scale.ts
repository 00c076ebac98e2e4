import { cloneJson, isObject, textOf, type JsonObject } from './json.js';
import { badRequest, invalid } from './status.js';
import type { SandboxObject } from './storage.js';

/** The `Scale` of a workload. */
export function scaleOf(object: SandboxObject): JsonObject {
  const spec = isObject(object.spec) ? object.spec : {};
  const status = isObject(object.status) ? object.status : {};
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = isObject(spec.selector) ? selectorText(spec.selector) : '';
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: spec.replicas === undefined || spec.replicas === 0 ? {} : { replicas: spec.replicas },
    status: { replicas: status.replicas ?? 0, ...(selector === '' ? {} : { selector }) },
  };
}

/**
 * The workload with the replicas of a `Scale`.
 *
 * @throws StatusError 400 or 422.
 */
export function withScale(object: SandboxObject, scale: JsonObject): SandboxObject {
  const { metadata = {}, spec = {}, kind = 'Scale' } = scale;
  if (kind !== 'Scale' || !isObject(metadata) || !isObject(spec))
    throw badRequest('the object provided is unrecognized (must be of type Scale)');
  const { replicas = 0 } = spec;
  const { name } = object.metadata;
  if (metadata.name !== undefined && metadata.name !== name)
    throw badRequest(`the name of the object (${textOf(metadata.name)}) does not match the name on the URL (${name})`);
  if (typeof replicas !== 'number' || !Number.isInteger(replicas) || Math.abs(replicas) > 2 ** 31 - 1)
    throw badRequest('Scale in version "v1" cannot be handled as a Scale: spec.replicas is no integer');
  if (replicas < 0)
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, name, [
      { reason: 'FieldValueInvalid', message: `Invalid value: ${replicas}: must be greater than or equal to 0`, field: 'spec.replicas' },
    ]);
  const next = cloneJson(object);
  next.spec = { ...(next.spec as JsonObject), replicas };
  next.metadata.resourceVersion = typeof metadata.resourceVersion === 'string' ? metadata.resourceVersion : '';
  next.metadata.uid = typeof metadata.uid === 'string' && metadata.uid !== '' ? metadata.uid : object.metadata.uid;
  return next;
}

/** A label selector as one line of text; empty where it selects everything. */
export function selectorText({ matchLabels, matchExpressions }: JsonObject): string {
  const labels = isObject(matchLabels) ? Object.entries(matchLabels).map(([key, value]) => `${key}=${textOf(value)}`) : [];
  const expressions = Array.isArray(matchExpressions) ? matchExpressions.filter(isObject) : [];
  const more = expressions.map(({ key, operator, values }) => {
    if (operator === 'Exists') return textOf(key);
    if (operator === 'DoesNotExist') return `!${textOf(key)}`;
    return `${textOf(key)} ${textOf(operator).toLowerCase()} (${Array.isArray(values) ? values.map(textOf).sort().join(',') : ''})`;
  });
  return [...labels, ...more].sort().join(',');
}
