import { GraphQLEnumType } from 'graphql';
import { registerEnumType } from 'type-graphql';
import { errorCodes, type ErrorCode } from '../errors.js';
import { permissionFunctions, permissionScopes, roles } from '../auth/matrix.js';

type EnumOf<Name extends string> = { readonly [Value in Name]: Value };

/**
 * An enum of the schema whose values are their own names.
 * @param descriptions Of single values, where the name does not say it all.
 */
function enumOf<const Names extends readonly string[]>(
  name: string,
  values: Names,
  description: string,
  descriptions: Partial<Record<Names[number], string>> = {},
): EnumOf<Names[number]> {
  const registered = Object.fromEntries(values.map((value) => [value, value])) as EnumOf<Names[number]>;
  const valuesConfig = Object.fromEntries(
    Object.entries(descriptions).map(([value, text]) => [value, { description: text as string }]),
  ) as Partial<Record<Names[number], { description: string }>>;
  registerEnumType(registered, { name, description, valuesConfig });
  return registered;
}

/** The values of an enum that {@link enumOf} made. */
export type ValueOf<Enum> = Enum[keyof Enum];

const errorCodeDescriptions: Partial<Record<ErrorCode, string>> = {
  INVALID: "The API server's validation refused it.",
  UNSUPPORTED: 'A restriction of the product or of this cluster, such as GPUs on Arm.',
  OUTCOME_UNKNOWN: 'The connection broke after the change was sent: it may or may not have happened.',
};

/** No field of the graph has this type: it is in the schema for clients to generate code from. */
export const errorCodeEnum = new GraphQLEnumType({
  name: 'ErrorCode',
  description: "What went wrong, in an error's `extensions.code`.",
  values: Object.fromEntries(
    errorCodes.map((code) => {
      const description = errorCodeDescriptions[code];
      return [code, description === undefined ? {} : { description }];
    }),
  ),
});

export const Role = enumOf(
  'Role',
  roles,
  "The product's roles, highest first; READER is Keystone's `reader`: what USER may read, and nothing else.",
);

export const PermissionScope = enumOf('PermissionScope', permissionScopes, 'How far a function reaches.', {
  ALL: 'Objects of every project.',
  JOINED_PROJECTS: 'Only objects of projects that the viewer has joined.',
});

export const PermissionFunction = enumOf(
  'PermissionFunction',
  permissionFunctions,
  "One row of the product's permission matrix each; the last block is what this gateway adds to it.",
);

export const ResourceKind = enumOf(
  'ResourceKind',
  ['NODE', 'NAMESPACE', 'DEPLOYMENT', 'STATEFUL_SET', 'DAEMON_SET', 'JOB', 'CRON_JOB', 'POD'],
  'A kind of object that can be asked for by its Kubernetes name.',
);

export const OrderDirection = enumOf('OrderDirection', ['ASC', 'DESC'], 'Which end of an order comes first.');

export const ClusterStatus = enumOf('ClusterStatus', ['HEALTHY', 'DEGRADED', 'UNREACHABLE'], 'How a cluster is.', {
  DEGRADED: 'It answers, but a kind cannot be read, or its own health checks fail.',
});

export const NodeRole = enumOf('NodeRole', ['MASTER', 'WORKER'], "What a node is for: the cluster's own control plane, or workloads.");

export const TaintEffect = enumOf(
  'TaintEffect',
  ['NO_SCHEDULE', 'PREFER_NO_SCHEDULE', 'NO_EXECUTE'],
  'What a taint does to pods that do not tolerate it.',
);

export const ClusterNodeOrderField = enumOf(
  'ClusterNodeOrderField',
  ['NAME', 'CREATED_AT', 'CPU_REQUESTED', 'MEMORY_REQUESTED', 'POD_COUNT'],
  'What nodes can be ordered by.',
);

export const WorkloadKind = enumOf(
  'WorkloadKind',
  ['DEPLOYMENT', 'STATEFUL_SET', 'DAEMON_SET', 'JOB', 'CRON_JOB'],
  'The five kinds of workload.',
);

export const WorkloadStatus = enumOf(
  'WorkloadStatus',
  ['RUNNING', 'PROGRESSING', 'STOPPED', 'DEGRADED', 'FAILED', 'COMPLETED', 'SUSPENDED'],
  'How a workload is; where several fit, the one that a person would want to know first.',
);

export const Isolation = enumOf('Isolation', ['SECURE', 'STANDARD', 'UNKNOWN'], 'How a pod is kept apart from its neighbours.', {
  SECURE: 'The pod has a kernel of its own, inside a lightweight virtual machine.',
  STANDARD: "The pod shares its node's kernel.",
  UNKNOWN: 'The runtime is none that the configuration knows; never an input.',
});

export const WorkloadOrderField = enumOf(
  'WorkloadOrderField',
  ['NAME', 'NAMESPACE', 'KIND', 'STATUS', 'CREATED_AT'],
  'What workloads can be ordered by.',
);

export const ConcurrencyPolicy = enumOf(
  'ConcurrencyPolicy',
  ['ALLOW', 'FORBID', 'REPLACE'],
  'What a cron job does when the run before is not finished.',
);

export const RestartPolicy = enumOf('RestartPolicy', ['ALWAYS', 'ON_FAILURE', 'NEVER'], 'When the containers of a pod are started again.');

export const UpdateStrategyType = enumOf(
  'UpdateStrategyType',
  ['ROLLING_UPDATE', 'RECREATE', 'ON_DELETE'],
  'How the pods of a workload are replaced when its template changes.',
);

export const PodPhase = enumOf(
  'PodPhase',
  ['PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'UNKNOWN'],
  "Where a pod is in its life, by Kubernetes' own phases.",
);

export const ContainerStateKind = enumOf('ContainerStateKind', ['WAITING', 'RUNNING', 'TERMINATED'], 'What a container is doing.');

export const PodOrderField = enumOf(
  'PodOrderField',
  ['NAME', 'NAMESPACE', 'NODE', 'PHASE', 'RESTARTS', 'CREATED_AT'],
  'What pods can be ordered by.',
);

export const ChangeType = enumOf(
  'ChangeType',
  ['ADDED', 'MODIFIED', 'DELETED', 'RESET', 'SYNCED'],
  'What happened to an object, or to the stream.',
  {
    DELETED:
      "Gone, out of the filter, or no longer the viewer's to see. After a resume it may name an object, of the viewer's own, that the client never saw.",
    RESET: 'What happened since the cursor cannot be told: forget everything; a snapshot follows.',
    SYNCED: 'Everything that existed at the start, or happened since the cursor, has been sent.',
  },
);

export const Protocol = enumOf('Protocol', ['TCP', 'UDP', 'SCTP'], 'A transport protocol.');

export const TolerationOperator = enumOf(
  'TolerationOperator',
  ['EQUAL', 'EXISTS', 'LT', 'GT'],
  "How a toleration compares itself with a taint's value.",
);

export const EnvironmentSourceKind = enumOf(
  'EnvironmentSourceKind',
  ['CONFIG_MAP', 'SECRET', 'FIELD', 'RESOURCE', 'OTHER'],
  'Where the value of an environment variable comes from.',
);

export const PodVolumeKind = enumOf(
  'PodVolumeKind',
  ['CLAIM', 'NEW_CLAIM', 'CONFIG_MAP', 'SECRET', 'EMPTY_DIR', 'OTHER'],
  'What is behind a volume of a pod.',
);

export const AccessMode = enumOf(
  'AccessMode',
  ['READ_WRITE_ONCE', 'READ_ONLY_MANY', 'READ_WRITE_MANY', 'READ_WRITE_ONCE_POD'],
  'By how many a volume can be mounted at once.',
);

export const GpuVendor = enumOf('GpuVendor', ['NVIDIA', 'KUNLUN'], 'Who makes a GPU.');
