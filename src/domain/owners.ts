import type { ObjectRecord } from '../k8s/objects.js';
import type { Kind } from '../k8s/kind.js';
import type { Reader } from '../k8s/reader.js';
import { pods, type PodRecord } from './kinds/pods.js';
import { replicaSets, type ReplicaSetRecord } from './kinds/replica-sets.js';
import { cronJobs, deployments, jobs, workloadKinds, type CronJobRecord, type JobRecord, type WorkloadRecord } from './kinds/workloads.js';

/**
 * Who owns whom. An owner is who has the uid that the owned object names, in the same cluster and namespace: a name that was used again, and a
 * reference that a tenant wrote to somebody else's object, lead nowhere. Each step is one look-up in an index.
 */

/** What names its controller. */
type Owned = PodRecord | ReplicaSetRecord | JobRecord;

const kindsByName: ReadonlyMap<string, Kind<WorkloadRecord>> = new Map(workloadKinds.map((kind) => [kind.name, kind]));

/**
 * The nearest workload above: of a pod its job, not the cron job that made the job; of a job its cron job. A replica set leads to a deployment and
 * nowhere else: references can be written in circles.
 */
export function workloadOf(owned: PodRecord | JobRecord, reader: Reader): WorkloadRecord | undefined {
  const { controllerKind } = owned;
  if (controllerKind === replicaSets.name) {
    const replicaSet = ownerOf(replicaSets, owned, reader);
    return replicaSet && ownerOf(deployments, replicaSet, reader);
  }
  const kind = controllerKind === undefined ? undefined : kindsByName.get(controllerKind);
  return kind && ownerOf(kind, owned, reader);
}

/** Undefined for a job that was made by hand. */
export function cronJobOf(job: JobRecord, reader: Reader): CronJobRecord | undefined {
  return ownerOf(cronJobs, job, reader);
}

/** In no particular order. */
export function jobsOf(cronJob: CronJobRecord, reader: Reader): readonly JobRecord[] {
  return ownedBy(jobs, cronJob, reader);
}

/** In no particular order; those that are finished too. */
export function podsOf(workload: WorkloadRecord, reader: Reader): readonly PodRecord[] {
  return directOwnersOf(workload, reader).flatMap((owner) => ownedBy(pods, owner, reader));
}

/** Uids of the direct controllers of a workload's pods, under which the index `controller` of pods finds them. */
export function controllersOf(workload: WorkloadRecord, reader: Reader): readonly string[] {
  return directOwnersOf(workload, reader).map(({ uid }) => uid);
}

/** The workload itself, too: a pod that names a deployment or a cron job is its own without a step between. */
function directOwnersOf(workload: WorkloadRecord, reader: Reader): readonly ObjectRecord[] {
  switch (workload.workloadKind) {
    case 'DEPLOYMENT':
      return [workload, ...ownedBy(replicaSets, workload, reader)];
    case 'CRON_JOB':
      return [workload, ...ownedBy(jobs, workload, reader)];
    default:
      return [workload];
  }
}

function ownerOf<R extends ObjectRecord>(kind: Kind<R>, owned: Owned, reader: Reader): R | undefined {
  const { clusterName, controllerUid, namespaceName } = owned;
  const owner = controllerUid === undefined ? undefined : reader.byUid(kind, clusterName, controllerUid);
  return owner?.namespaceName === namespaceName ? owner : undefined;
}

function ownedBy<R extends ObjectRecord>(kind: Kind<R>, owner: ObjectRecord, reader: Reader): readonly R[] {
  return reader
    .related(kind, owner.clusterName, 'controller', owner.uid)
    .filter(({ namespaceName }) => namespaceName === owner.namespaceName);
}
