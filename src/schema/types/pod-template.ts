import { Field, Float, Int, ObjectType } from 'type-graphql';
import {
  AccessMode,
  EnvironmentSourceKind,
  GpuVendor,
  Isolation,
  PodVolumeKind,
  Protocol,
  RestartPolicy,
  TaintEffect,
  TolerationOperator,
  type ValueOf,
} from '../enums.js';
import { BigInt } from '../scalars.js';
import { KeyValue } from './resource.js';

@ObjectType({ simpleResolvers: true, description: 'GPUs of one resource name.' })
export class GpuAmount {
  @Field(() => GpuVendor, { description: 'Who makes them.' })
  vendor!: ValueOf<typeof GpuVendor>;
  @Field(() => String, { description: 'Extended resource that pods ask for, such as `nvidia.com/gpu`.' })
  resourceName!: string;
  @Field(() => Int, { description: 'Devices, or shares of one where they are shared.' })
  count!: number;
}

@ObjectType({ simpleResolvers: true, description: 'Null is not set, and not zero.' })
export class ContainerResources {
  @Field(() => Float, { nullable: true, description: 'Cores.' })
  cpuCores!: number | null;
  @Field(() => BigInt, { nullable: true, description: 'Bytes of memory.' })
  memoryBytes!: number | null;
  @Field(() => BigInt, { nullable: true, description: "Bytes of the node's own disk." })
  ephemeralStorageBytes!: number | null;
  @Field(() => [GpuAmount], { description: 'Empty where none are asked for.' })
  gpus!: GpuAmount[];
}

@ObjectType({
  simpleResolvers: true,
  description: '`name` is the object, or the path of the field; `key` is null where all keys are taken.',
})
export class EnvironmentSource {
  @Field(() => EnvironmentSourceKind, { description: 'What it is.' })
  kind!: ValueOf<typeof EnvironmentSourceKind>;
  @Field(() => String, { description: 'The object, or the path of the field.' })
  name!: string;
  @Field(() => String, { nullable: true, description: 'The key of the config map or secret, or the container of the resource.' })
  key!: string | null;
  @Field(() => String, { nullable: true, description: 'Put before every key.' })
  prefix!: string | null;
  @Field(() => Boolean, { description: 'Whether the container starts without it.' })
  optional!: boolean;
}

@ObjectType({
  simpleResolvers: true,
  description: '`value` is null where the variable comes from elsewhere; `source` then says from where.',
})
export class EnvironmentVariable {
  @Field(() => String, { description: 'As the process sees it.' })
  name!: string;
  @Field(() => String, { nullable: true, description: 'As the template writes it.' })
  value!: string | null;
  @Field(() => EnvironmentSource, { nullable: true, description: 'Null where `value` is set.' })
  source!: EnvironmentSource | null;
}

@ObjectType({ simpleResolvers: true, description: 'A port that a container listens on.' })
export class ContainerPort {
  @Field(() => String, { nullable: true, description: 'What services may name it by.' })
  name!: string | null;
  @Field(() => Int, { description: "The number, in the pod's own network." })
  containerPort!: number;
  @Field(() => Protocol, { nullable: true, description: 'TCP unless the template says otherwise.' })
  protocol!: ValueOf<typeof Protocol> | null;
}

@ObjectType({ simpleResolvers: true, description: 'Where a container sees a volume.' })
export class VolumeMount {
  @Field(() => String, { description: 'A volume of the pod, by its name.' })
  volumeName!: string;
  @Field(() => String, { description: 'In the container.' })
  path!: string;
  @Field(() => String, { nullable: true, description: 'Part of the volume that is mounted; null for all of it.' })
  subPath!: string | null;
  @Field(() => Boolean, { description: 'Whether the container may only read it.' })
  readOnly!: boolean;
  @Field(() => String, { nullable: true, description: 'The claim behind the volume; null where it is none.' })
  claimName!: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'How a container is asked whether it is well.' })
export class Probe {
  @Field(() => String, { nullable: true, description: 'Asked for by HTTP; null where it is no HTTP probe.' })
  httpPath!: string | null;
  @Field(() => String, { nullable: true, description: 'Number or name; null where a command is run.' })
  port!: string | null;
  @Field(() => [String], { description: 'Run in the container; empty where a port is asked.' })
  command!: string[];
  @Field(() => Int, { description: 'Seconds from the start to the first time.' })
  initialDelaySeconds!: number;
  @Field(() => Int, { description: 'Seconds from one time to the next.' })
  periodSeconds!: number;
  @Field(() => Int, { description: 'Seconds after which no answer is a failure.' })
  timeoutSeconds!: number;
  @Field(() => Int, { description: 'Failures in a row that count.' })
  failureThreshold!: number;
}

@ObjectType({ simpleResolvers: true, description: 'What a container may do. Null is not set.' })
export class ContainerSecurityContext {
  @Field(() => BigInt, { nullable: true, description: 'User id of its processes.' })
  runAsUser!: number | null;
  @Field(() => BigInt, { nullable: true, description: 'Group id of its processes.' })
  runAsGroup!: number | null;
  @Field(() => Boolean, { nullable: true, description: 'Whether it is refused where it would run as root.' })
  runAsNonRoot!: boolean | null;
  @Field(() => Boolean, { nullable: true, description: 'Whether it cannot write to its own image.' })
  readOnlyRootFilesystem!: boolean | null;
  @Field(() => Boolean, { nullable: true, description: 'Whether a process may gain more rights than its parent.' })
  allowPrivilegeEscalation!: boolean | null;
  @Field(() => Boolean, { nullable: true, description: "Whether it has its node's own rights." })
  privileged!: boolean | null;
  @Field(() => [String], { description: "Linux capabilities beside the runtime's own." })
  addCapabilities!: string[];
  @Field(() => [String], { description: "Linux capabilities taken from the runtime's own." })
  dropCapabilities!: string[];
}

@ObjectType({ simpleResolvers: true, description: "Container as the workload's template describes it." })
export class ContainerSpec {
  @Field(() => String, { description: 'Unique in the template.' })
  name!: string;
  @Field(() => String, { description: 'As the template writes it.' })
  image!: string;
  @Field(() => String, { nullable: true, description: '`Always`, `IfNotPresent` or `Never`.' })
  imagePullPolicy!: string | null;
  @Field(() => String, { nullable: true, description: "Null for the image's own." })
  workingDir!: string | null;
  @Field(() => [String], { description: "In place of the image's entry point; empty for the image's own." })
  command!: string[];
  @Field(() => [String], { description: 'Arguments of the command.' })
  args!: string[];
  @Field(() => [EnvironmentVariable], { description: 'Variables, one by one.' })
  env!: EnvironmentVariable[];
  @Field(() => [EnvironmentSource], { description: 'Objects whose every key becomes a variable.' })
  envFrom!: EnvironmentSource[];
  @Field(() => [ContainerPort], { description: 'What it listens on.' })
  ports!: ContainerPort[];
  @Field(() => ContainerResources, { description: 'What is kept free for it.' })
  requests!: ContainerResources;
  @Field(() => ContainerResources, { description: 'What it cannot go beyond.' })
  limits!: ContainerResources;
  @Field(() => [VolumeMount], { description: 'Volumes that it sees.' })
  mounts!: VolumeMount[];
  @Field(() => Probe, { nullable: true, description: 'Restarted when it fails.' })
  livenessProbe!: Probe | null;
  @Field(() => Probe, { nullable: true, description: 'Gets no traffic while it fails.' })
  readinessProbe!: Probe | null;
  @Field(() => Probe, { nullable: true, description: 'The other probes wait for it.' })
  startupProbe!: Probe | null;
  @Field(() => ContainerSecurityContext, { nullable: true, description: 'Null where the template sets nothing.' })
  securityContext!: ContainerSecurityContext | null;
  @Field(() => Boolean, { description: 'An init container that keeps running beside the others.' })
  sidecar!: boolean;
}

@ObjectType({ simpleResolvers: true, description: 'A key of a config map or secret, as a file.' })
export class KeyToPath {
  @Field(() => String, { description: 'In the config map or secret.' })
  key!: string;
  @Field(() => String, { description: 'Relative to where the volume is mounted.' })
  path!: string;
}

@ObjectType({ simpleResolvers: true, description: 'What a claim asks for.' })
export class ClaimSpec {
  @Field(() => String, { nullable: true, description: "Null for the cluster's default." })
  storageClassName!: string | null;
  @Field(() => BigInt, { description: 'Bytes.' })
  requestedBytes!: number;
  @Field(() => [AccessMode], { nullable: 'items', description: 'By how many it can be mounted at once.' })
  accessModes!: (ValueOf<typeof AccessMode> | null)[];
}

@ObjectType({
  simpleResolvers: true,
  description: '`sourceName` is the claim, config map or secret; NEW_CLAIM is a claim template of a stateful set.',
})
export class PodVolume {
  @Field(() => String, { description: 'What mounts name it by.' })
  name!: string;
  @Field(() => PodVolumeKind, { description: 'What is behind it.' })
  kind!: ValueOf<typeof PodVolumeKind>;
  @Field(() => String, { nullable: true, description: 'The claim, config map or secret; null for the rest.' })
  sourceName!: string | null;
  @Field(() => [KeyToPath], { description: 'The keys that become files; empty where all do.' })
  items!: KeyToPath[];
  @Field(() => ClaimSpec, { nullable: true, description: 'For NEW_CLAIM: what each pod gets.' })
  newClaim!: ClaimSpec | null;
}

@ObjectType({ simpleResolvers: true, description: 'A taint that a pod puts up with.' })
export class Toleration {
  @Field(() => String, { nullable: true, description: 'Null for every key.' })
  key!: string | null;
  @Field(() => TolerationOperator, { nullable: true, description: "How the taint's value is compared." })
  operator!: ValueOf<typeof TolerationOperator> | null;
  @Field(() => String, { nullable: true, description: 'What it is compared with.' })
  value!: string | null;
  @Field(() => TaintEffect, { nullable: true, description: 'Null for every effect.' })
  effect!: ValueOf<typeof TaintEffect> | null;
  @Field(() => Int, { nullable: true, description: 'For NO_EXECUTE: seconds until the pod must go; null for never.' })
  tolerationSeconds!: number | null;
}

@ObjectType({
  simpleResolvers: true,
  description: "Preferred with this weight (1 to 100); required where `weight` is null. `labelSelector` in Kubernetes' text syntax.",
})
export class NodeAffinityTerm {
  @Field(() => Int, { nullable: true, description: 'Null where it is required.' })
  weight!: number | null;
  @Field(() => String, { description: 'Over the labels of nodes.' })
  labelSelector!: string;
}

@ObjectType({
  simpleResolvers: true,
  description: 'As above, over pods on one node, zone or other topology; `anti` keeps away from them.',
})
export class PodAffinityTerm {
  @Field(() => Int, { nullable: true, description: 'Null where it is required.' })
  weight!: number | null;
  @Field(() => String, { description: 'Over the labels of pods.' })
  labelSelector!: string;
  @Field(() => String, { description: 'Label of nodes that makes two of them one place.' })
  topologyKey!: string;
  @Field(() => Boolean, { description: 'Whether it keeps away.' })
  anti!: boolean;
}

@ObjectType({ simpleResolvers: true, description: 'On which nodes the pods may run.' })
export class Scheduling {
  @Field(() => [KeyValue], { description: 'Labels that a node must have.' })
  nodeSelector!: KeyValue[];
  @Field(() => [String], { description: 'Nodes that are allowed, by name; empty for all.' })
  nodeNames!: string[];
  @Field(() => Boolean, { description: 'Whether no two pods of it may share a node.' })
  spreadAcrossNodes!: boolean;
  @Field(() => [Toleration], { description: 'Taints that it puts up with.' })
  tolerations!: Toleration[];
  @Field(() => [NodeAffinityTerm], { description: 'Nodes that are required or preferred by their labels.' })
  nodeAffinity!: NodeAffinityTerm[];
  @Field(() => [PodAffinityTerm], { description: 'Pods that it goes near to, or keeps away from.' })
  podAffinity!: PodAffinityTerm[];
}

@ObjectType({ simpleResolvers: true, description: 'A line of `/etc/hosts`.' })
export class HostAlias {
  @Field(() => String, { description: 'The address.' })
  ip!: string;
  @Field(() => [String], { description: 'Its names.' })
  hostnames!: string[];
}

@ObjectType({ simpleResolvers: true, description: "The pods' own network." })
export class PodNetwork {
  @Field(() => String, { nullable: true, description: 'Such as `ClusterFirst`.' })
  dnsPolicy!: string | null;
  @Field(() => [HostAlias], { description: 'Names that are told beside those of DNS.' })
  hostAliases!: HostAlias[];
}

@ObjectType({ simpleResolvers: true, description: 'What a workload makes its pods from; the read side of `PodTemplateInput`.' })
export class PodTemplate {
  @Field(() => Isolation, { description: 'How its pods are kept apart from their neighbours.' })
  isolation!: ValueOf<typeof Isolation>;
  @Field(() => String, { nullable: true, description: 'The runtime class that is asked for; null for the default.' })
  runtimeClassName!: string | null;
  @Field(() => [ContainerSpec], { description: 'What runs side by side.' })
  containers!: ContainerSpec[];
  @Field(() => [ContainerSpec], { description: 'What runs before, one after the other; sidecars stay.' })
  initContainers!: ContainerSpec[];
  @Field(() => [PodVolume], { description: 'What the containers can mount.' })
  volumes!: PodVolume[];
  @Field(() => [String], { description: 'Secrets that images are pulled with, by name.' })
  imagePullSecrets!: string[];
  @Field(() => Scheduling, { description: 'On which nodes its pods may run.' })
  scheduling!: Scheduling;
  @Field(() => PodNetwork, { description: "Its pods' own network." })
  network!: PodNetwork;
  @Field(() => [KeyValue], { description: 'What its pods get, in the order of the keys.' })
  labels!: KeyValue[];
  @Field(() => [KeyValue], { description: 'What its pods get, in the order of the keys.' })
  annotations!: KeyValue[];
  @Field(() => RestartPolicy, { nullable: true, description: 'When containers that ended are started again.' })
  restartPolicy!: ValueOf<typeof RestartPolicy> | null;
  @Field(() => String, { nullable: true, description: 'What its pods may do to the cluster; null for the default.' })
  serviceAccountName!: string | null;
  @Field(() => Int, { nullable: true, description: 'Seconds between the request to end and the kill.' })
  terminationGracePeriodSeconds!: number | null;
}
