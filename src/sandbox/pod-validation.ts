import { containersOf, itemsOf } from './defaults.js';
import { isObject, textOf, type JsonObject } from './json.js';
import type { Problems } from './problems.js';
import { compareQuantities } from './quantity.js';

const label = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
export const labelRule =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";

export function isDnsLabel(value: unknown): boolean {
  return typeof value === 'string' && value.length <= 63 && label.test(value);
}

/** Checks a pod's spec, or that of a template. @param path Such as `spec.template.spec`. @param claims Names of volumes that it will get. */
export function checkPodSpec(problems: Problems, spec: JsonObject, path: string, claims: readonly unknown[] = []): void {
  const containers = itemsOf(spec, 'containers');
  if (containers.length === 0) problems.required(`${path}.containers`);
  problems.oneOf(`${path}.restartPolicy`, spec.restartPolicy, ['Always', 'OnFailure', 'Never']);
  problems.oneOf(`${path}.dnsPolicy`, spec.dnsPolicy, ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None']);
  problems.nonNegative(`${path}.terminationGracePeriodSeconds`, spec.terminationGracePeriodSeconds);
  if (typeof spec.activeDeadlineSeconds === 'number' && spec.activeDeadlineSeconds < 1)
    problems.invalid(`${path}.activeDeadlineSeconds`, spec.activeDeadlineSeconds, 'must be between 1 and 2147483647, inclusive');
  const volumes = new Set<unknown>();
  for (const [index, { name }] of itemsOf(spec, 'volumes').entries()) {
    const place = `${path}.volumes[${index}].name`;
    checkName(problems, place, name, volumes);
  }
  for (const name of claims) volumes.add(name);
  const names = new Set<unknown>();
  for (const list of ['containers', 'initContainers', 'ephemeralContainers'] as const) {
    for (const [index, container] of itemsOf(spec, list).entries()) {
      const place = `${path}.${list}[${index}]`;
      checkName(problems, `${place}.name`, container.name, names);
      checkContainer(problems, container, place, volumes);
      if (list === 'initContainers') problems.oneOf(`${place}.restartPolicy`, container.restartPolicy, ['Always', 'OnFailure', 'Never']);
    }
  }
  for (const [index, toleration] of itemsOf(spec, 'tolerations').entries()) {
    const place = `${path}.tolerations[${index}]`;
    problems.oneOf(`${place}.operator`, toleration.operator, ['Equal', 'Exists', 'Lt', 'Gt']);
    problems.oneOf(`${place}.effect`, toleration.effect === '' ? undefined : toleration.effect, [
      'NoSchedule',
      'PreferNoSchedule',
      'NoExecute',
    ]);
  }
}

function checkName(problems: Problems, field: string, name: unknown, seen: Set<unknown>): void {
  if (name === undefined || name === '') problems.required(field);
  else if (!isDnsLabel(name)) problems.invalid(field, name, labelRule);
  else if (seen.has(name)) problems.duplicate(field, name);
  seen.add(name);
}

function checkContainer(problems: Problems, container: JsonObject, path: string, volumes: ReadonlySet<unknown>): void {
  if (container.image === undefined || container.image === '') problems.required(`${path}.image`);
  problems.oneOf(`${path}.imagePullPolicy`, container.imagePullPolicy, ['Always', 'IfNotPresent', 'Never']);
  for (const [index, port] of itemsOf(container, 'ports').entries()) {
    const place = `${path}.ports[${index}]`;
    if (port.containerPort === undefined) problems.required(`${place}.containerPort`);
    else checkPort(problems, `${place}.containerPort`, port.containerPort);
    problems.oneOf(`${place}.protocol`, port.protocol, ['SCTP', 'TCP', 'UDP']);
  }
  for (const [index, { name }] of itemsOf(container, 'env').entries())
    if (name === undefined || name === '') problems.required(`${path}.env[${index}].name`);
  for (const [index, mount] of itemsOf(container, 'volumeMounts').entries()) {
    const place = `${path}.volumeMounts[${index}]`;
    if (mount.name === undefined || mount.name === '') problems.required(`${place}.name`);
    else if (!volumes.has(mount.name)) problems.notFound(`${place}.name`, mount.name);
    if (mount.mountPath === undefined || mount.mountPath === '') problems.required(`${place}.mountPath`);
  }
  if (isObject(container.resources)) checkResources(problems, container.resources, `${path}.resources`);
}

export function checkPort(problems: Problems, field: string, port: unknown): void {
  if (typeof port !== 'number' || port < 1 || port > 65_535) problems.invalid(field, port, 'must be between 1 and 65535, inclusive');
}

const standardResources = new Set(['cpu', 'memory', 'storage', 'ephemeral-storage']);

function checkResources(problems: Problems, resources: JsonObject, path: string): void {
  const limits = isObject(resources.limits) ? resources.limits : {};
  const requests = isObject(resources.requests) ? resources.requests : {};
  for (const [part, values] of Object.entries({ limits, requests })) {
    for (const [name, value] of Object.entries(values)) {
      const field = `${path}.${part}${name.includes('.') || name.includes('/') ? `[${name}]` : `.${name}`}`;
      if (!standardResources.has(name) && !name.includes('/') && !name.startsWith('hugepages-'))
        problems.invalid(`${path}.${part}`, name, 'must be a standard resource type or fully qualified');
      else if (compareQuantities(textOf(value), '0') < 0) problems.invalid(field, value, 'must be greater than or equal to 0');
    }
  }
  for (const [name, request] of Object.entries(requests)) {
    const limit = limits[name];
    const isExtended = name.includes('/');
    if (limit === undefined) {
      if (isExtended) problems.required(`${path}.limits`, `Limit must be set for non overcommitable resources`);
      continue;
    }
    const order = compareQuantities(textOf(request), textOf(limit));
    if (isExtended && order !== 0) problems.invalid(`${path}.requests`, request, `must be equal to ${name} limit of ${textOf(limit)}`);
    else if (order > 0) problems.invalid(`${path}.requests`, request, `must be less than or equal to ${name} limit of ${textOf(limit)}`);
  }
}

/** The quality of service that Kubernetes puts into a pod's status. */
export function qosOf(spec: JsonObject): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  let isGuaranteed = true;
  let hasAny = false;
  for (const container of containersOf(spec)) {
    const resources = isObject(container.resources) ? container.resources : {};
    for (const name of ['cpu', 'memory']) {
      const limit = isObject(resources.limits) ? resources.limits[name] : undefined;
      const request = isObject(resources.requests) ? resources.requests[name] : undefined;
      const isSet = (value: unknown): boolean => value !== undefined && compareQuantities(textOf(value), '0') > 0;
      hasAny ||= isSet(limit) || isSet(request);
      if (!isSet(limit) || (isSet(request) && compareQuantities(textOf(request), textOf(limit)) !== 0)) isGuaranteed = false;
    }
  }
  if (!hasAny) return 'BestEffort';
  return isGuaranteed ? 'Guaranteed' : 'Burstable';
}
