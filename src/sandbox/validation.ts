import { itemsOf, setDefaults, within } from './defaults.js';
import { equalJson, isObject, textOf, without, type JsonObject } from './json.js';
import { checkPodSpec, checkPort, isDnsLabel, labelRule, qosOf } from './pod-validation.js';
import { Problems } from './problems.js';
import type { ResourceType } from './resources.js';
import { isTimeZone, parseSchedule } from './schedule.js';
import { isLabelKey, isLabelValue } from './selectors.js';
import { forbidden, invalid } from './status.js';
import type { ResourceName, SandboxObject } from './storage.js';

export interface Lookup {
  get(resource: ResourceName, namespace: string | undefined, name: string): SandboxObject | undefined;
}

/** Fills in and checks an object that is about to be created; changes it in place. @throws StatusError where it is refused. */
export function prepareCreate(type: ResourceType, object: SandboxObject, lookup: Lookup): void {
  if (type.resource === 'namespaces') {
    object.metadata.labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': object.metadata.name };
    object.spec = { ...(isObject(object.spec) ? object.spec : {}), finalizers: ['kubernetes'] };
  }
  setDefaults(type, object);
  if (type.resource === 'pods') admitPod(type, object, lookup);
  if (type.resource === 'jobs.batch') identifyJob(object);
  if (type.resource === 'daemonsets.apps') countTemplate(object, 1);
  const firstStatus = firstStatuses[type.resource];
  if (firstStatus !== undefined) object.status = firstStatus(object);
  check(type, object);
}

/** The same for a replacement. */
export function prepareUpdate(type: ResourceType, next: SandboxObject, current: SandboxObject): void {
  if (type.resource === 'namespaces') {
    next.metadata.labels = { ...next.metadata.labels, 'kubernetes.io/metadata.name': next.metadata.name };
    next.spec = current.spec as unknown;
  }
  if (type.resource === 'services' && isObject(next.spec) && isObject(current.spec)) {
    const { clusterIP, clusterIPs } = current.spec;
    next.spec.clusterIP ??= clusterIP;
    next.spec.clusterIPs ??= clusterIPs;
  }
  setDefaults(type, next);
  if (type.resource === 'daemonsets.apps') {
    const count = Number(current.metadata.annotations?.[templateCount] ?? 1);
    const isSame = equalJson((next.spec as JsonObject).template, (current.spec as JsonObject).template);
    countTemplate(next, isSame ? count : count + 1);
  }
  // Controllers touch metadata and status most of the time: what did not change was checked before.
  const isSameSpec = equalJson({ ...next, metadata: 0, status: 0 }, { ...current, metadata: 0, status: 0 });
  if (
    isSameSpec &&
    equalJson(next.metadata.labels, current.metadata.labels) &&
    equalJson(next.metadata.annotations, current.metadata.annotations)
  )
    return;
  check(type, next, isSameSpec ? undefined : current);
}

/** Old clients tell the templates of a daemon set apart by this annotation. */
const templateCount = 'deprecated.daemonset.template.generation';

function countTemplate({ metadata }: SandboxObject, count: number): void {
  metadata.annotations = { ...metadata.annotations, [templateCount]: String(count) };
}

/** The same for a change of status alone. */
export function prepareStatus(type: ResourceType, next: SandboxObject): void {
  if (next.status !== undefined && !isObject(next.status))
    throw refuse(type, next, (problems) => problems.invalid('status', next.status, 'must be an object'));
}

function refuse(type: ResourceType, { metadata }: SandboxObject, find: (problems: Problems) => void): Error {
  const problems = new Problems();
  find(problems);
  return invalid(type, metadata.name, problems.causes);
}

/** Seconds that a deletion waits for the object to end by itself. */
export function graceOf(type: ResourceType, object: SandboxObject, asked: number | undefined): number {
  if (type.resource !== 'pods') return 0;
  const spec = (object.spec ?? {}) as JsonObject;
  const { phase } = (object.status ?? {}) as JsonObject;
  if (spec.nodeName === undefined || spec.nodeName === '' || phase === 'Succeeded' || phase === 'Failed') return 0;
  const seconds = asked ?? (typeof spec.terminationGracePeriodSeconds === 'number' ? spec.terminationGracePeriodSeconds : 30);
  return seconds < 0 ? 1 : seconds;
}

const firstStatuses: Readonly<Record<string, (object: SandboxObject) => JsonObject>> = {
  namespaces: () => ({ phase: 'Active' }),
  pods: firstPodStatus,
  persistentvolumeclaims: () => ({ phase: 'Pending' }),
  services: () => ({ loadBalancer: {} }),
  'deployments.apps': () => ({}),
  'replicasets.apps': () => ({ replicas: 0 }),
  'statefulsets.apps': () => ({ replicas: 0, availableReplicas: 0 }),
  'daemonsets.apps': () => ({ currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 }),
  'jobs.batch': () => ({}),
  'cronjobs.batch': () => ({}),
  'horizontalpodautoscalers.autoscaling': () => ({ desiredReplicas: 0, currentMetrics: null }),
};

function firstPodStatus({ spec, metadata }: SandboxObject): JsonObject {
  const pod = spec as JsonObject;
  const gates = itemsOf(pod, 'schedulingGates');
  const gated = {
    type: 'PodScheduled',
    observedGeneration: metadata.generation,
    status: 'False',
    lastProbeTime: null,
    lastTransitionTime: metadata.creationTimestamp,
    reason: 'SchedulingGated',
    message: 'Scheduling is blocked due to non-empty scheduling gates',
  };
  return { phase: 'Pending', ...(gates.length === 0 ? {} : { conditions: [gated] }), qosClass: qosOf(pod) };
}

/** What admission adds to a pod: its service account, its priority, how long it stays on a lost node, and what its runtime class costs. */
function admitPod(type: ResourceType, object: SandboxObject, lookup: Lookup): void {
  const spec = within(object, 'spec');
  spec.serviceAccountName ??= 'default';
  spec.serviceAccount ??= spec.serviceAccountName;
  spec.priority ??= 0;
  spec.preemptionPolicy ??= 'PreemptLowerPriority';
  const tolerations = itemsOf(spec, 'tolerations');
  for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']) {
    const isTolerated = tolerations.some(
      (each) => (each.key === undefined || each.key === key) && (each.effect === undefined || each.effect === 'NoExecute'),
    );
    if (!isTolerated) tolerations.push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 });
  }
  admitRuntimeClass(type, object, spec, tolerations, lookup);
  spec.tolerations = tolerations;
}

/** Changes `spec` and `tolerations` in place. */
function admitRuntimeClass(type: ResourceType, object: SandboxObject, spec: JsonObject, tolerations: JsonObject[], lookup: Lookup): void {
  const refused = (why: string): Error => forbidden(type, object.metadata.name, why);
  const { runtimeClassName } = spec;
  const hasClass = typeof runtimeClassName === 'string' && runtimeClassName !== '';
  const runtimeClass = hasClass ? (lookup.get('runtimeclasses.node.k8s.io', undefined, runtimeClassName) as JsonObject | undefined) : {};
  if (runtimeClass === undefined) throw refused(`pod rejected: RuntimeClass "${textOf(runtimeClassName)}" not found`);
  const { overhead, scheduling } = runtimeClass;
  if (isObject(overhead) && isObject(overhead.podFixed)) {
    if (spec.overhead !== undefined && !equalJson(spec.overhead, overhead.podFixed))
      throw refused("pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
    spec.overhead = { ...overhead.podFixed };
  } else if (spec.overhead !== undefined)
    throw refused('pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead');
  if (!isObject(scheduling)) return;
  if (isObject(scheduling.nodeSelector)) {
    const own = isObject(spec.nodeSelector) ? spec.nodeSelector : {};
    for (const [key, value] of Object.entries(scheduling.nodeSelector))
      if (own[key] !== undefined && own[key] !== value)
        throw refused(
          `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${textOf(value)}; pod.spec.nodeSelector[${key}] = ${textOf(own[key])}`,
        );
    spec.nodeSelector = { ...own, ...scheduling.nodeSelector };
  }
  for (const toleration of itemsOf(scheduling, 'tolerations'))
    if (!tolerations.some((each) => equalJson(each, toleration))) tolerations.push(toleration);
}

/** A job finds its pods by its own uid. */
function identifyJob(object: SandboxObject): void {
  const spec = within(object, 'spec');
  const { uid, name } = object.metadata;
  if (spec.manualSelector === true) return;
  const metadata = within(within(spec, 'template'), 'metadata');
  metadata.labels = {
    ...(isObject(metadata.labels) ? metadata.labels : {}),
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  };
  spec.selector = { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } };
}

const subdomain = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const serviceName = /^[a-z](?:[-a-z0-9]*[a-z0-9])?$/;
const maxAnnotationBytes = 256 * 1024;

/** @param current What is replaced; undefined for a new object, and where only metadata changed. */
function check(type: ResourceType, object: SandboxObject, current?: SandboxObject): void {
  const problems = new Problems();
  checkMetadata(problems, type, object);
  checks[type.resource]?.(problems, object as JsonObject, current as JsonObject | undefined);
  if (problems.causes.length > 0) throw invalid(type, object.metadata.name, problems.causes);
}

function checkMetadata(problems: Problems, { nameRule }: ResourceType, { metadata }: SandboxObject): void {
  const { name, labels = {}, annotations = {} } = metadata;
  if (name === '') problems.required('metadata.name', 'name or generateName is required');
  else if (nameRule === 'label' && !isDnsLabel(name)) problems.invalid('metadata.name', name, labelRule);
  else if (nameRule === 'service' && (name.length > 63 || !serviceName.test(name)))
    problems.invalid('metadata.name', name, 'a DNS-1035 label must start with an alphabetic character');
  else if (nameRule === 'subdomain' && (name.length > 253 || !subdomain.test(name))) problems.invalid('metadata.name', name, subdomainRule);
  checkLabels(problems, labels, 'metadata.labels');
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations)) {
    bytes += key.length + value.length;
    // Kubernetes checks an annotation's key in lower case.
    if (!isLabelKey(key.toLowerCase())) problems.invalid('metadata.annotations', key, 'name part must consist of alphanumeric characters');
  }
  if (bytes > maxAnnotationBytes)
    problems.invalid('metadata.annotations', `${bytes} bytes`, `must have at most ${maxAnnotationBytes} bytes`);
}

function checkLabels(problems: Problems, labels: unknown, path: string): void {
  if (!isObject(labels)) return;
  for (const [key, value] of Object.entries(labels)) {
    if (!isLabelKey(key)) problems.invalid(path, key, 'name part must consist of alphanumeric characters');
    if (typeof value !== 'string' || !isLabelValue(value))
      problems.invalid(path, value, 'a valid label must be an empty string or consist of alphanumeric characters');
  }
}

type Check = (problems: Problems, object: JsonObject, current: JsonObject | undefined) => void;

function specOf(object: JsonObject | undefined): JsonObject {
  return isObject(object?.spec) ? object.spec : {};
}

/** What every workload has: replicas, a selector that stays, and a template that it selects. */
function checkWorkload(problems: Problems, object: JsonObject, current: JsonObject | undefined, restartPolicies: readonly string[]): void {
  const spec = specOf(object);
  const before = specOf(current);
  problems.nonNegative('spec.replicas', spec.replicas);
  problems.nonNegative('spec.minReadySeconds', spec.minReadySeconds);
  problems.nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit);
  const selector = isObject(spec.selector) ? spec.selector : {};
  const template = isObject(spec.template) ? spec.template : {};
  const labels = isObject(template.metadata) && isObject(template.metadata.labels) ? template.metadata.labels : {};
  if (!isObject(spec.selector)) problems.required('spec.selector');
  else if (current !== undefined && !equalJson(spec.selector, before.selector))
    problems.invalid('spec.selector', spec.selector, 'field is immutable');
  else if (!isObject(selector.matchLabels) && itemsOf(selector, 'matchExpressions').length === 0)
    problems.invalid('spec.selector', selector, 'empty selector is invalid for deployment');
  if (!selects(selector, labels)) problems.invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`');
  checkTemplate(problems, spec, 'spec.template', restartPolicies);
}

function checkTemplate(problems: Problems, parent: JsonObject, path: string, restartPolicies: readonly string[]): void {
  const template = isObject(parent.template) ? parent.template : {};
  if (isObject(template.metadata)) checkLabels(problems, template.metadata.labels, `${path}.labels`);
  const spec = specOf(template);
  // A stateful set's containers may mount the claims that it makes for its pods.
  const claims = itemsOf(parent, 'volumeClaimTemplates').map((claim) => within(claim, 'metadata').name);
  checkPodSpec(problems, spec, `${path}.spec`, claims);
  problems.oneOf(`${path}.spec.restartPolicy`, spec.restartPolicy, restartPolicies);
}

function selects({ matchLabels, matchExpressions }: JsonObject, labels: JsonObject): boolean {
  const pairs = isObject(matchLabels) ? Object.entries(matchLabels) : [];
  const expressions = Array.isArray(matchExpressions) ? matchExpressions.filter(isObject) : [];
  return (
    pairs.every(([key, value]) => labels[key] === value) &&
    expressions.every(({ key, operator, values }) => {
      const value = labels[String(key)];
      const isIn = Array.isArray(values) && values.includes(value);
      if (operator === 'In') return isIn;
      if (operator === 'NotIn') return !isIn;
      return operator === 'Exists' ? value !== undefined : value === undefined;
    })
  );
}

const checks: Readonly<Record<string, Check>> = {
  pods: (problems, object, current) => {
    const spec = specOf(object);
    checkPodSpec(problems, spec, 'spec');
    if (current === undefined) return;
    const strip = (pod: JsonObject): JsonObject => {
      const rest = without(specOf(pod), 'tolerations', 'nodeName', 'activeDeadlineSeconds', 'schedulingGates');
      const bare = (list: string): JsonObject[] => itemsOf(rest, list).map((container) => ({ ...container, image: 0, resources: 0 }));
      return { ...rest, containers: bare('containers'), initContainers: bare('initContainers'), ephemeralContainers: 0 };
    };
    const before = specOf(current).nodeName ?? '';
    if (!equalJson(strip(object), strip(current)) || (before !== '' && before !== spec.nodeName))
      problems.forbidden(
        'spec',
        'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)',
      );
  },
  'deployments.apps': (problems, object, current) => {
    checkWorkload(problems, object, current, ['Always']);
    const { strategy } = specOf(object);
    if (!isObject(strategy)) return;
    problems.oneOf('spec.strategy.type', strategy.type, ['Recreate', 'RollingUpdate']);
    if (strategy.type === 'Recreate' && strategy.rollingUpdate !== undefined)
      problems.forbidden('spec.strategy.rollingUpdate', "may not be specified when strategy `type` is 'Recreate'");
    if (!isObject(strategy.rollingUpdate)) return;
    const isNone = (value: unknown): boolean => value === 0 || value === '0%';
    if (isNone(strategy.rollingUpdate.maxUnavailable) && isNone(strategy.rollingUpdate.maxSurge))
      problems.invalid(
        'spec.strategy.rollingUpdate.maxUnavailable',
        strategy.rollingUpdate.maxUnavailable,
        'may not be 0 when `maxSurge` is 0',
      );
  },
  'replicasets.apps': (problems, object, current) => checkWorkload(problems, object, current, ['Always']),
  'daemonsets.apps': (problems, object, current) => checkWorkload(problems, object, current, ['Always']),
  'statefulsets.apps': (problems, object, current) => {
    checkWorkload(problems, object, current, ['Always']);
    problems.oneOf('spec.podManagementPolicy', specOf(object).podManagementPolicy, ['OrderedReady', 'Parallel']);
    if (current === undefined) return;
    const fixed = ({ serviceName, podManagementPolicy, volumeClaimTemplates }: JsonObject): JsonObject => ({
      serviceName,
      podManagementPolicy,
      volumeClaimTemplates,
    });
    if (!equalJson(fixed(specOf(object)), fixed(specOf(current))))
      problems.forbidden(
        'spec',
        "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      );
  },
  'jobs.batch': (problems, object, current) => {
    const spec = specOf(object);
    for (const field of ['parallelism', 'completions', 'backoffLimit', 'activeDeadlineSeconds', 'ttlSecondsAfterFinished'])
      problems.nonNegative(`spec.${field}`, spec[field]);
    problems.oneOf('spec.completionMode', spec.completionMode, ['Indexed', 'NonIndexed']);
    if (spec.completionMode === 'Indexed' && spec.completions === undefined)
      problems.required('spec.completions', 'when completion mode is Indexed');
    for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes', 'podFailurePolicy', 'successPolicy'])
      if (spec[field] !== undefined) problems.forbidden(`spec.${field}`, 'the embedded cluster does not serve it');
    checkTemplate(problems, spec, 'spec.template', ['OnFailure', 'Never']);
    if (current === undefined) return;
    const before = specOf(current);
    if (!equalJson(spec.selector, before.selector)) problems.invalid('spec.selector', spec.selector, 'field is immutable');
    // A job that is suspended and never ran may still be told where to run.
    if (before.suspend !== true && !equalJson(spec.template, before.template))
      problems.invalid('spec.template', spec.template, 'field is immutable');
    if (spec.completionMode !== 'Indexed' && spec.completions !== before.completions)
      problems.invalid('spec.completions', spec.completions, 'field is immutable');
  },
  'cronjobs.batch': (problems, object) => {
    const spec = specOf(object);
    const { timeZone } = spec;
    if (spec.schedule === undefined || spec.schedule === '') problems.required('spec.schedule');
    else if (/TZ=/.test(textOf(spec.schedule)))
      problems.invalid('spec.schedule', spec.schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead');
    else if (parseSchedule(textOf(spec.schedule)) === undefined) problems.invalid('spec.schedule', spec.schedule, 'is no cron schedule');
    if (timeZone !== undefined && !isTimeZone(textOf(timeZone)))
      problems.invalid('spec.timeZone', timeZone, `unknown time zone ${textOf(timeZone)}`);
    problems.nonNegative('spec.startingDeadlineSeconds', spec.startingDeadlineSeconds);
    problems.oneOf('spec.concurrencyPolicy', spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace']);
    problems.nonNegative('spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit);
    problems.nonNegative('spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit);
    const jobTemplate = isObject(spec.jobTemplate) ? spec.jobTemplate : {};
    checkTemplate(problems, specOf(jobTemplate), 'spec.jobTemplate.spec.template', ['OnFailure', 'Never']);
  },
  services: (problems, object) => {
    const spec = specOf(object);
    const ports = itemsOf(spec, 'ports');
    problems.oneOf('spec.type', spec.type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']);
    if (ports.length === 0 && spec.type !== 'ExternalName' && spec.clusterIP !== 'None') problems.required('spec.ports');
    for (const [index, { port }] of ports.entries()) checkPort(problems, `spec.ports[${index}].port`, port);
  },
  'runtimeclasses.node.k8s.io': (problems, object, current) => {
    if (current !== undefined && object.handler !== current.handler) problems.invalid('handler', object.handler, 'field is immutable');
    if (object.handler === undefined || object.handler === '') problems.required('handler');
    else if (!isDnsLabel(object.handler)) problems.invalid('handler', object.handler, labelRule);
  },
  'horizontalpodautoscalers.autoscaling': (problems, object) => {
    const { maxReplicas, minReplicas, scaleTargetRef } = specOf(object);
    if (typeof maxReplicas !== 'number' || maxReplicas < 1)
      problems.invalid('spec.maxReplicas', maxReplicas ?? 0, 'must be greater than 0');
    else if (typeof minReplicas === 'number' && maxReplicas < minReplicas)
      problems.invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`');
    for (const field of ['kind', 'name'] as const)
      if (!isObject(scaleTargetRef) || scaleTargetRef[field] === undefined) problems.required(`spec.scaleTargetRef.${field}`);
  },
};
