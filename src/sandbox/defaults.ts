import { isObject, type JsonObject } from './json.js';
import type { ResourceType } from './resources.js';
import type { SandboxObject } from './storage.js';

/** Sets what is not set. */
function fill(target: JsonObject, values: JsonObject): void {
  for (const key in values) if (target[key] === undefined || target[key] === null || target[key] === '') target[key] = values[key];
}

/** The member that is an object; made where there is none. */
export function within(parent: JsonObject, key: string): JsonObject {
  const value = parent[key];
  if (isObject(value)) return value;
  const made: JsonObject = {};
  parent[key] = made;
  return made;
}

/** The items of a list that are objects. */
export function itemsOf(parent: JsonObject, key: string): JsonObject[] {
  const value = parent[key];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** Fills in what Kubernetes fills in for an object of that kind; changes it in place. */
export function setDefaults(type: ResourceType, object: SandboxObject): void {
  defaulters[type.resource]?.(object as JsonObject, object);
}

const defaulters: Readonly<Record<string, (object: JsonObject, typed: SandboxObject) => void>> = {
  pods: (object) => {
    const spec = within(object, 'spec');
    fill(spec, { enableServiceLinks: true });
    defaultPodSpec(spec);
    for (const container of containersOf(spec)) requestLimits(container);
  },
  'deployments.apps': (object) => {
    const spec = within(object, 'spec');
    fill(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 });
    const strategy = within(spec, 'strategy');
    fill(strategy, { type: 'RollingUpdate' });
    if (strategy.type === 'RollingUpdate') fill(within(strategy, 'rollingUpdate'), { maxUnavailable: '25%', maxSurge: '25%' });
    defaultTemplate(spec);
  },
  'replicasets.apps': (object, typed) => {
    const spec = within(object, 'spec');
    fill(spec, { replicas: 1 });
    defaultTemplate(spec);
    const labels = within(within(spec, 'template'), 'metadata').labels;
    if (isObject(labels) && typed.metadata.labels === undefined) typed.metadata.labels = { ...(labels as Record<string, string>) };
  },
  'statefulsets.apps': (object) => {
    const spec = within(object, 'spec');
    fill(spec, { replicas: 1, podManagementPolicy: 'OrderedReady', revisionHistoryLimit: 10 });
    spec.serviceName ??= '';
    const strategy = within(spec, 'updateStrategy');
    fill(strategy, { type: 'RollingUpdate' });
    if (strategy.type === 'RollingUpdate') fill(within(strategy, 'rollingUpdate'), { partition: 0 });
    fill(within(spec, 'persistentVolumeClaimRetentionPolicy'), { whenDeleted: 'Retain', whenScaled: 'Retain' });
    for (const claim of itemsOf(spec, 'volumeClaimTemplates')) {
      fill(claim, { apiVersion: 'v1', kind: 'PersistentVolumeClaim' });
      fill(within(claim, 'spec'), { volumeMode: 'Filesystem' });
      fill(within(claim, 'status'), { phase: 'Pending' });
    }
    defaultTemplate(spec);
  },
  'daemonsets.apps': (object) => {
    const spec = within(object, 'spec');
    fill(spec, { revisionHistoryLimit: 10 });
    const strategy = within(spec, 'updateStrategy');
    fill(strategy, { type: 'RollingUpdate' });
    if (strategy.type === 'RollingUpdate') fill(within(strategy, 'rollingUpdate'), { maxUnavailable: 1, maxSurge: 0 });
    defaultTemplate(spec);
  },
  'jobs.batch': (object) => defaultJob(within(object, 'spec')),
  'cronjobs.batch': (object) => {
    const spec = within(object, 'spec');
    fill(spec, { concurrencyPolicy: 'Allow', suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 });
    const job = within(within(spec, 'jobTemplate'), 'spec');
    defaultTemplate(job);
  },
  'horizontalpodautoscalers.autoscaling': (object) => {
    const spec = within(object, 'spec');
    fill(spec, { minReplicas: 1 });
    if (itemsOf(spec, 'metrics').length === 0)
      spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }];
  },
  services: (object, { metadata }) => {
    const spec = within(object, 'spec');
    fill(spec, { type: 'ClusterIP', sessionAffinity: 'None' });
    for (const port of itemsOf(spec, 'ports')) {
      fill(port, { protocol: 'TCP' });
      if (spec.type !== 'ExternalName') fill(port, { targetPort: port.port });
    }
    if (spec.type === 'ExternalName') return;
    fill(spec, { clusterIP: addressOf(metadata.uid), internalTrafficPolicy: 'Cluster', ipFamilyPolicy: 'SingleStack' });
    spec.clusterIPs ??= [spec.clusterIP];
    spec.ipFamilies ??= ['IPv4'];
  },
  secrets: (object) => {
    fill(object, { type: 'Opaque' });
    if (!isObject(object.stringData)) return;
    const data = { ...(isObject(object.data) ? object.data : {}) };
    for (const [key, text] of Object.entries(object.stringData)) data[key] = Buffer.from(String(text)).toString('base64');
    object.data = data;
    delete object.stringData;
  },
  persistentvolumeclaims: (object) => fill(within(object, 'spec'), { volumeMode: 'Filesystem' }),
};

/** An address of the service range that is always the same for one object. */
function addressOf(uid: string): string {
  const bits = Number.parseInt(uid.slice(0, 4), 16) || 1;
  return `10.96.${bits >> 8}.${bits & 0xff || 1}`;
}

function defaultJob(spec: JsonObject): void {
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  fill(spec, {
    parallelism: 1,
    backoffLimit: spec.backoffLimitPerIndex === undefined ? 6 : 2 ** 31 - 1,
    completionMode: 'NonIndexed',
    suspend: false,
    manualSelector: spec.manualSelector,
    podReplacementPolicy: isObject(spec.podFailurePolicy) ? 'Failed' : 'TerminatingOrFailed',
  });
  if (spec.manualSelector === undefined) delete spec.manualSelector;
  defaultTemplate(spec);
}

function defaultTemplate(parent: JsonObject): void {
  defaultPodSpec(within(within(parent, 'template'), 'spec'));
}

/** Containers of all three sorts, with the fields that they share. */
export function containersOf(spec: JsonObject): JsonObject[] {
  return [...itemsOf(spec, 'initContainers'), ...itemsOf(spec, 'containers'), ...itemsOf(spec, 'ephemeralContainers')];
}

function defaultPodSpec(spec: JsonObject): void {
  fill(spec, { restartPolicy: 'Always', dnsPolicy: 'ClusterFirst', terminationGracePeriodSeconds: 30, schedulerName: 'default-scheduler' });
  within(spec, 'securityContext');
  // Both names of the field are written, as Kubernetes does for old clients.
  if (spec.serviceAccountName !== undefined) fill(spec, { serviceAccount: spec.serviceAccountName });
  else if (spec.serviceAccount !== undefined) fill(spec, { serviceAccountName: spec.serviceAccount });
  for (const container of containersOf(spec)) defaultContainer(container, spec.hostNetwork === true);
  for (const volume of itemsOf(spec, 'volumes')) defaultVolume(volume);
}

function defaultContainer(container: JsonObject, isOnHost: boolean): void {
  const image = typeof container.image === 'string' ? container.image : '';
  const isLatest = !image.includes('@') && (!/:[^/]+$/.test(image) || image.endsWith(':latest'));
  fill(container, {
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: isLatest ? 'Always' : 'IfNotPresent',
  });
  within(container, 'resources');
  for (const port of itemsOf(container, 'ports')) {
    fill(port, { protocol: 'TCP' });
    if (isOnHost) fill(port, { hostPort: port.containerPort });
  }
  for (const variable of itemsOf(container, 'env')) {
    const source = variable.valueFrom;
    if (isObject(source) && isObject(source.fieldRef)) fill(source.fieldRef, { apiVersion: 'v1' });
  }
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    const probe = container[name];
    if (!isObject(probe)) continue;
    fill(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
    if (isObject(probe.httpGet)) fill(probe.httpGet, { path: '/', scheme: 'HTTP' });
    if (isObject(probe.grpc)) probe.grpc.service ??= '';
  }
}

function defaultVolume(volume: JsonObject): void {
  if (Object.keys(volume).every((key) => key === 'name')) volume.emptyDir = {};
  for (const kind of ['secret', 'configMap', 'downwardAPI', 'projected'])
    if (isObject(volume[kind])) fill(volume[kind], { defaultMode: 420 });
  if (isObject(volume.hostPath)) volume.hostPath.type ??= '';
  if (!isObject(volume.projected)) return;
  for (const source of itemsOf(volume.projected, 'sources')) {
    if (isObject(source.serviceAccountToken)) fill(source.serviceAccountToken, { expirationSeconds: 3607 });
  }
}

/** What is limited and not asked for is asked for in full. */
function requestLimits(container: JsonObject): void {
  const resources = within(container, 'resources');
  if (isObject(resources.limits)) fill(within(resources, 'requests'), resources.limits);
}
