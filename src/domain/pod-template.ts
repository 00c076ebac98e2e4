import type { RunsOn } from './isolation.js';
import {
  flagAt,
  intAt,
  intOrTextAt,
  isObject,
  keyValues,
  longAt,
  nameIn,
  noObject,
  objectAt,
  objectsAt,
  optionalObjectAt,
  secondsAt,
  textAt,
  textsAt,
  type JsonObject,
  type KeyValue,
} from './json.js';
import { readAnnotations } from './kinds/resource-record.js';
import { parseQuantity, toWhole } from './quantities.js';
import { isSidecar, readContainerResources, type ContainerResources } from './resources.js';
import { readScheduling, type Scheduling } from './scheduling.js';

export type RestartPolicy = 'ALWAYS' | 'ON_FAILURE' | 'NEVER';
export type Protocol = 'TCP' | 'UDP' | 'SCTP';
export type EnvironmentSourceKind = 'CONFIG_MAP' | 'SECRET' | 'FIELD' | 'RESOURCE' | 'OTHER';
export type PodVolumeKind = 'CLAIM' | 'NEW_CLAIM' | 'CONFIG_MAP' | 'SECRET' | 'EMPTY_DIR' | 'OTHER';
export type AccessMode = 'READ_WRITE_ONCE' | 'READ_ONLY_MANY' | 'READ_WRITE_MANY' | 'READ_WRITE_ONCE_POD';

/** As the contract's `EnvironmentSource`. Says where a value is, never what it is. */
export interface EnvironmentSource {
  readonly kind: EnvironmentSourceKind;
  /** The object, the path of the field, the resource; for OTHER Kubernetes' own name of the source, such as `fileKeyRef`. */
  readonly name: string;
  /** Undefined where all keys are taken. */
  readonly key: string | undefined;
  readonly prefix: string | undefined;
  readonly optional: boolean;
}

/** As the contract's `EnvironmentVariable`: one of `value` and `source` is defined. */
export interface EnvironmentVariable {
  readonly name: string;
  readonly value: string | undefined;
  readonly source: EnvironmentSource | undefined;
}

/** As the contract's `ContainerPort`. */
export interface ContainerPort {
  readonly name: string | undefined;
  readonly containerPort: number;
  readonly protocol: Protocol | undefined;
}

/** As the contract's `VolumeMount`. */
export interface VolumeMount {
  readonly volumeName: string;
  readonly path: string;
  readonly subPath: string | undefined;
  readonly readOnly: boolean;
  /** Undefined where no claim is behind the volume, or each pod has one of its own. */
  readonly claimName: string | undefined;
}

/** As the contract's `Probe`, with Kubernetes' defaults. */
export interface Probe {
  readonly httpPath: string | undefined;
  readonly port: string | undefined;
  readonly command: readonly string[];
  readonly initialDelaySeconds: number;
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly failureThreshold: number;
}

/** As the contract's `ContainerSecurityContext`: what the container itself sets, without the pod's. */
export interface ContainerSecurityContext {
  readonly runAsUser: number | undefined;
  readonly runAsGroup: number | undefined;
  readonly runAsNonRoot: boolean | undefined;
  readonly readOnlyRootFilesystem: boolean | undefined;
  readonly allowPrivilegeEscalation: boolean | undefined;
  readonly privileged: boolean | undefined;
  readonly addCapabilities: readonly string[];
  readonly dropCapabilities: readonly string[];
}

/** As the contract's `ContainerSpec`. */
export interface ContainerSpec {
  readonly name: string;
  readonly image: string;
  readonly imagePullPolicy: string | undefined;
  readonly workingDir: string | undefined;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: readonly EnvironmentVariable[];
  readonly envFrom: readonly EnvironmentSource[];
  readonly ports: readonly ContainerPort[];
  readonly requests: ContainerResources;
  readonly limits: ContainerResources;
  readonly mounts: readonly VolumeMount[];
  readonly livenessProbe: Probe | undefined;
  readonly readinessProbe: Probe | undefined;
  readonly startupProbe: Probe | undefined;
  readonly securityContext: ContainerSecurityContext | undefined;
  readonly sidecar: boolean;
}

/** As the contract's `KeyToPath`. */
export interface KeyToPath {
  readonly key: string;
  readonly path: string;
}

/** As the contract's `ClaimSpec`. */
export interface ClaimSpec {
  readonly storageClassName: string | undefined;
  readonly requestedBytes: number;
  readonly accessModes: readonly (AccessMode | undefined)[];
}

/** As the contract's `PodVolume`. */
export interface PodVolume {
  readonly name: string;
  readonly kind: PodVolumeKind;
  readonly sourceName: string | undefined;
  readonly items: readonly KeyToPath[];
  readonly newClaim: ClaimSpec | undefined;
}

/** As the contract's `HostAlias`. */
export interface HostAlias {
  readonly ip: string;
  readonly hostnames: readonly string[];
}

/** As the contract's `PodNetwork`. */
export interface PodNetwork {
  readonly dnsPolicy: string | undefined;
  readonly hostAliases: readonly HostAlias[];
}

/** As the contract's `PodTemplate`, but for `isolation`, which the cluster's runtime classes tell. */
export interface PodTemplate extends RunsOn {
  readonly containers: readonly ContainerSpec[];
  readonly initContainers: readonly ContainerSpec[];
  readonly volumes: readonly PodVolume[];
  readonly imagePullSecrets: readonly string[];
  readonly scheduling: Scheduling;
  readonly network: PodNetwork;
  readonly labels: readonly KeyValue[];
  readonly annotations: readonly KeyValue[];
  readonly restartPolicy: RestartPolicy | undefined;
  readonly serviceAccountName: string | undefined;
  readonly terminationGracePeriodSeconds: number | undefined;
}

/** What a template does not say itself. */
export interface TemplateSurroundings {
  readonly clusterName: string;
  /** `spec.selector` of the workload: tells its own pods from others. */
  readonly selector?: JsonObject;
  /** `spec.volumeClaimTemplates` of a stateful set: each pod gets a claim of its own for each. */
  readonly claimTemplates?: readonly JsonObject[];
}

const restartPolicies: ReadonlyMap<string, RestartPolicy> = new Map([
  ['Always', 'ALWAYS'],
  ['OnFailure', 'ON_FAILURE'],
  ['Never', 'NEVER'],
]);
const protocols: ReadonlyMap<string, Protocol> = new Map([
  ['TCP', 'TCP'],
  ['UDP', 'UDP'],
  ['SCTP', 'SCTP'],
]);
const accessModes: ReadonlyMap<string, AccessMode> = new Map([
  ['ReadWriteOnce', 'READ_WRITE_ONCE'],
  ['ReadOnlyMany', 'READ_ONLY_MANY'],
  ['ReadWriteMany', 'READ_WRITE_MANY'],
  ['ReadWriteOncePod', 'READ_WRITE_ONCE_POD'],
]);

/** @param template `metadata` and `spec` of pods, as workloads hold them. */
export function readPodTemplate(
  template: JsonObject,
  { clusterName, selector = noObject, claimTemplates = [] }: TemplateSurroundings,
): PodTemplate {
  const spec = objectAt(template, 'spec');
  const metadata = objectAt(template, 'metadata');
  const labels = keyValues(objectAt(metadata, 'labels'));
  const volumes = readVolumes(spec, claimTemplates);
  const claims = new Map(volumes.map((volume) => [volume.name, volume.kind === 'CLAIM' ? volume.sourceName : undefined]));
  return {
    clusterName,
    runtimeClassName: textAt(spec, 'runtimeClassName'),
    containers: objectsAt(spec, 'containers').map((container) => readContainerSpec(container, claims, false)),
    initContainers: objectsAt(spec, 'initContainers').map((container) => readContainerSpec(container, claims, true)),
    volumes,
    imagePullSecrets: objectsAt(spec, 'imagePullSecrets').flatMap((reference) => textAt(reference, 'name') ?? []),
    scheduling: readScheduling(spec, labels, selector),
    network: {
      dnsPolicy: textAt(spec, 'dnsPolicy'),
      hostAliases: objectsAt(spec, 'hostAliases').map((alias) => ({
        ip: textAt(alias, 'ip') ?? '',
        hostnames: textsAt(alias, 'hostnames'),
      })),
    },
    labels,
    annotations: readAnnotations(metadata),
    restartPolicy: nameIn(restartPolicies, spec['restartPolicy']),
    serviceAccountName: textAt(spec, 'serviceAccountName'),
    terminationGracePeriodSeconds: secondsAt(spec, 'terminationGracePeriodSeconds'),
  };
}

function readContainerSpec(container: JsonObject, claims: ReadonlyMap<string, string | undefined>, init: boolean): ContainerSpec {
  const resources = objectAt(container, 'resources');
  return {
    name: textAt(container, 'name') ?? '',
    image: textAt(container, 'image') ?? '',
    imagePullPolicy: textAt(container, 'imagePullPolicy'),
    workingDir: textAt(container, 'workingDir'),
    command: textsAt(container, 'command'),
    args: textsAt(container, 'args'),
    env: objectsAt(container, 'env').map(readVariable),
    envFrom: objectsAt(container, 'envFrom').map(readEnvironment),
    ports: objectsAt(container, 'ports').flatMap(readPort),
    requests: readContainerResources(resources['requests']),
    limits: readContainerResources(resources['limits']),
    mounts: objectsAt(container, 'volumeMounts').map((mount) => readMount(mount, claims)),
    livenessProbe: readProbe(container['livenessProbe']),
    readinessProbe: readProbe(container['readinessProbe']),
    startupProbe: readProbe(container['startupProbe']),
    securityContext: readSecurityContext(optionalObjectAt(container, 'securityContext')),
    sidecar: init && isSidecar(container),
  };
}

function readVariable(variable: JsonObject): EnvironmentVariable {
  const name = textAt(variable, 'name') ?? '';
  const from = optionalObjectAt(variable, 'valueFrom');
  if (from !== undefined) return { name, value: undefined, source: readVariableSource(from) };
  // A variable that is set to nothing has no `value` in JSON.
  return { name, value: textAt(variable, 'value') ?? '', source: undefined };
}

function readVariableSource(from: JsonObject): EnvironmentSource {
  for (const [field, kind] of [
    ['configMapKeyRef', 'CONFIG_MAP'],
    ['secretKeyRef', 'SECRET'],
  ] as const) {
    const reference = optionalObjectAt(from, field);
    if (reference !== undefined) return sourceOf(kind, textAt(reference, 'name'), textAt(reference, 'key'), reference);
  }
  const field = optionalObjectAt(from, 'fieldRef');
  if (field !== undefined) return sourceOf('FIELD', textAt(field, 'fieldPath'), undefined, field);
  const resource = optionalObjectAt(from, 'resourceFieldRef');
  if (resource !== undefined) return sourceOf('RESOURCE', textAt(resource, 'resource'), textAt(resource, 'containerName'), resource);
  const [name] = Object.keys(from);
  const other = name === undefined ? noObject : objectAt(from, name);
  return sourceOf('OTHER', name, textAt(other, 'key'), other);
}

function readEnvironment(from: JsonObject): EnvironmentSource {
  const prefix = textAt(from, 'prefix');
  for (const [field, kind] of [
    ['configMapRef', 'CONFIG_MAP'],
    ['secretRef', 'SECRET'],
  ] as const) {
    const reference = optionalObjectAt(from, field);
    if (reference !== undefined) return sourceOf(kind, textAt(reference, 'name'), undefined, reference, prefix);
  }
  const name = Object.keys(from).find((key) => isObject(from[key]));
  return sourceOf('OTHER', name, undefined, name === undefined ? noObject : objectAt(from, name), prefix);
}

function sourceOf(
  kind: EnvironmentSourceKind,
  name: string | undefined,
  key: string | undefined,
  reference: JsonObject,
  prefix?: string,
): EnvironmentSource {
  return { kind, name: name ?? '', key, prefix, optional: flagAt(reference, 'optional') ?? false };
}

function readPort(port: JsonObject): ContainerPort | [] {
  const containerPort = intAt(port, 'containerPort');
  if (containerPort === undefined) return [];
  return { name: textAt(port, 'name'), containerPort, protocol: nameIn(protocols, port['protocol'] ?? 'TCP') };
}

function readMount(mount: JsonObject, claims: ReadonlyMap<string, string | undefined>): VolumeMount {
  const volumeName = textAt(mount, 'name') ?? '';
  return {
    volumeName,
    path: textAt(mount, 'mountPath') ?? '',
    subPath: textAt(mount, 'subPath') ?? textAt(mount, 'subPathExpr'),
    readOnly: flagAt(mount, 'readOnly') ?? false,
    claimName: claims.get(volumeName),
  };
}

function readProbe(probe: unknown): Probe | undefined {
  if (!isObject(probe)) return undefined;
  const http = optionalObjectAt(probe, 'httpGet');
  const asked = http ?? optionalObjectAt(probe, 'tcpSocket') ?? objectAt(probe, 'grpc');
  return {
    httpPath: http === undefined ? undefined : (textAt(http, 'path') ?? '/'),
    port: intOrTextAt(asked, 'port'),
    command: textsAt(objectAt(probe, 'exec'), 'command'),
    initialDelaySeconds: intAt(probe, 'initialDelaySeconds') ?? 0,
    periodSeconds: positiveAt(probe, 'periodSeconds', 10),
    timeoutSeconds: positiveAt(probe, 'timeoutSeconds', 1),
    failureThreshold: positiveAt(probe, 'failureThreshold', 3),
  };
}

/** Zero is not set, as Kubernetes reads it where only more makes sense. */
function positiveAt(value: JsonObject, key: string, otherwise: number): number {
  const found = intAt(value, key) ?? 0;
  return found > 0 ? found : otherwise;
}

function readSecurityContext(context: JsonObject | undefined): ContainerSecurityContext | undefined {
  if (context === undefined || Object.keys(context).length === 0) return undefined;
  const capabilities = objectAt(context, 'capabilities');
  return {
    runAsUser: longAt(context, 'runAsUser'),
    runAsGroup: longAt(context, 'runAsGroup'),
    runAsNonRoot: flagAt(context, 'runAsNonRoot'),
    readOnlyRootFilesystem: flagAt(context, 'readOnlyRootFilesystem'),
    allowPrivilegeEscalation: flagAt(context, 'allowPrivilegeEscalation'),
    privileged: flagAt(context, 'privileged'),
    addCapabilities: textsAt(capabilities, 'add'),
    dropCapabilities: textsAt(capabilities, 'drop'),
  };
}

/** A claim template takes the place of a volume of its name, as Kubernetes has it. */
function readVolumes(spec: JsonObject, claimTemplates: readonly JsonObject[]): PodVolume[] {
  const claims = claimTemplates.map((template): PodVolume => ({
    name: textAt(objectAt(template, 'metadata'), 'name') ?? '',
    kind: 'NEW_CLAIM',
    sourceName: undefined,
    items: [],
    newClaim: readClaimSpec(objectAt(template, 'spec')),
  }));
  const replaced = new Set(claims.map(({ name }) => name));
  const volumes = objectsAt(spec, 'volumes').map(readVolume);
  return [...volumes.filter(({ name }) => !replaced.has(name)), ...claims];
}

function readVolume(volume: JsonObject): PodVolume {
  const name = textAt(volume, 'name') ?? '';
  const make = (kind: PodVolumeKind, sourceName?: string, source: JsonObject = noObject): PodVolume => ({
    name,
    kind,
    sourceName,
    items: objectsAt(source, 'items').map((item) => ({ key: textAt(item, 'key') ?? '', path: textAt(item, 'path') ?? '' })),
    newClaim: undefined,
  });
  const claim = optionalObjectAt(volume, 'persistentVolumeClaim');
  if (claim !== undefined) return make('CLAIM', textAt(claim, 'claimName'));
  const configMap = optionalObjectAt(volume, 'configMap');
  if (configMap !== undefined) return make('CONFIG_MAP', textAt(configMap, 'name'), configMap);
  const secret = optionalObjectAt(volume, 'secret');
  if (secret !== undefined) return make('SECRET', textAt(secret, 'secretName'), secret);
  return make(optionalObjectAt(volume, 'emptyDir') === undefined ? 'OTHER' : 'EMPTY_DIR');
}

function readClaimSpec(spec: JsonObject): ClaimSpec {
  const modes = spec['accessModes'];
  return {
    storageClassName: textAt(spec, 'storageClassName'),
    requestedBytes: toWhole(parseQuantity(objectAt(spec, 'resources', 'requests')['storage']) ?? 0n),
    accessModes: Array.isArray(modes) ? modes.map((mode) => nameIn(accessModes, mode)) : [],
  };
}
