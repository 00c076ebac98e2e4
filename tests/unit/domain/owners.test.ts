import type { Kind } from '../../../src/k8s/kind.js';
import type { ObjectRecord, OwnerReference } from '../../../src/k8s/objects.js';
import type { Change } from '../../../src/k8s/reader.js';
import { StoreReader } from '../../../src/k8s/store-reader.js';
import { watchedKinds } from '../../../src/domain/kinds/index.js';
import { pods } from '../../../src/domain/kinds/pods.js';
import { replicaSets } from '../../../src/domain/kinds/replica-sets.js';
import { runtimeClasses } from '../../../src/domain/kinds/runtime-classes.js';
import { cronJobs, daemonSets, deployments, jobs, statefulSets, workloadKinds } from '../../../src/domain/kinds/workloads.js';
import { controllersOf, cronJobOf, jobsOf, podsOf, workloadOf } from '../../../src/domain/owners.js';
import { MemoryCluster, projectLabel, type Draft } from '../../support/objects.js';

/** Two clusters of one gateway, and what tests ask of them. */
class World {
  readonly east = new MemoryCluster('east', watchedKinds);
  readonly west = new MemoryCluster('west', watchedKinds);
  readonly reader = new StoreReader([this.east, this.west], { projectLabel });

  /** @param owner Kind and uid of the controller. */
  put(
    kind: Kind,
    name: string,
    {
      owner,
      namespace = 'a',
      cluster = this.east,
      uid = `uid-of-${name}`,
      ...more
    }: Draft & { owner?: readonly [Kind, string]; namespace?: string; cluster?: MemoryCluster; uid?: string } = {},
  ): void {
    const ownerReferences = owner === undefined ? [] : [reference(owner[0], owner[1])];
    cluster.put(kind, { ...more, metadata: { name, namespace, uid, ownerReferences, ...more.metadata } });
  }

  get<R extends ObjectRecord>(kind: Kind<R>, name: string, namespace = 'a', cluster = 'east'): R {
    const found = this.reader.get(kind, { cluster, namespace, name });
    if (found === undefined) throw new Error(`there is no ${kind.name} ${namespace}/${name}`);
    return found;
  }

  workloadOfPod(name: string, namespace = 'a', cluster = 'east'): string | undefined {
    const found = workloadOf(this.get(pods, name, namespace, cluster), this.reader);
    return found && `${found.clusterName}/${found.namespaceName}/${found.kind}/${found.name}`;
  }

  podsOf(kind: (typeof workloadKinds)[number], name: string, namespace = 'a'): string[] {
    const found = podsOf(this.get(kind, name, namespace), this.reader);
    return found.map((pod) => `${pod.clusterName}/${pod.namespaceName}/${pod.name}`).sort();
  }
}

function reference(kind: Kind, uid: string, controller = true): OwnerReference {
  return { apiVersion: kind.apiVersion, kind: kind.name, name: 'whatever', uid, controller };
}

/** One workload of each kind, with its pods. */
function company(): World {
  const world = new World();
  world.put(deployments, 'web');
  world.put(replicaSets, 'web-1', { owner: [deployments, 'uid-of-web'] });
  world.put(replicaSets, 'web-2', { owner: [deployments, 'uid-of-web'] });
  world.put(pods, 'web-1-x', { owner: [replicaSets, 'uid-of-web-1'] });
  world.put(pods, 'web-2-x', { owner: [replicaSets, 'uid-of-web-2'] });
  world.put(statefulSets, 'db');
  world.put(pods, 'db-0', { owner: [statefulSets, 'uid-of-db'] });
  world.put(daemonSets, 'agent');
  world.put(pods, 'agent-x', { owner: [daemonSets, 'uid-of-agent'] });
  world.put(jobs, 'once');
  world.put(pods, 'once-x', { owner: [jobs, 'uid-of-once'] });
  world.put(cronJobs, 'nightly');
  world.put(jobs, 'nightly-1', { owner: [cronJobs, 'uid-of-nightly'] });
  world.put(jobs, 'nightly-2', { owner: [cronJobs, 'uid-of-nightly'] });
  world.put(pods, 'nightly-1-x', { owner: [jobs, 'uid-of-nightly-1'] });
  world.put(pods, 'nightly-2-x', { owner: [jobs, 'uid-of-nightly-2'] });
  world.put(pods, 'lone');
  return world;
}

describe('the workload of a pod', () => {
  it.each([
    ['web-1-x', 'Deployment/web'],
    ['db-0', 'StatefulSet/db'],
    ['agent-x', 'DaemonSet/agent'],
    ['once-x', 'Job/once'],
    ['nightly-1-x', 'Job/nightly-1'],
  ])('of %s is the nearest: %s', (pod, workload) => {
    expect(company().workloadOfPod(pod)).toBe(`east/a/${workload}`);
  });

  it('is none for a pod that nobody controls', () => {
    const world = company();
    world.put(pods, 'adopted', { metadata: { ownerReferences: [reference(statefulSets, 'uid-of-db', false)] } });
    expect([world.workloadOfPod('lone'), world.workloadOfPod('adopted')]).toEqual([undefined, undefined]);
  });

  it('is none where the chain ends before one of the five kinds', () => {
    const world = company();
    const rollouts: Kind = { ...deployments, name: 'Rollout', apiVersion: 'argoproj.io/v1alpha1' };
    world.put(replicaSets, 'bare');
    world.put(replicaSets, 'rolled', { owner: [rollouts, 'uid-of-rollout'] });
    world.put(replicaSets, 'orphan', { owner: [deployments, 'uid-of-gone'] });
    for (const name of ['bare', 'rolled', 'orphan']) world.put(pods, `${name}-x`, { owner: [replicaSets, `uid-of-${name}`] });
    world.put(pods, 'rolled-y', { owner: [rollouts, 'uid-of-rollout'] });
    expect(['bare-x', 'rolled-x', 'orphan-x', 'rolled-y'].map((name) => world.workloadOfPod(name))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("is none in a namespace that is not the pod's own, whatever uid the pod names", () => {
    const world = company();
    world.put(pods, 'thief', { namespace: 'b', owner: [statefulSets, 'uid-of-db'] });
    world.put(pods, 'indirect', { namespace: 'b', owner: [replicaSets, 'uid-of-web-1'] });
    world.put(replicaSets, 'forged', { namespace: 'b', owner: [deployments, 'uid-of-web'] });
    world.put(pods, 'forged-x', { namespace: 'b', owner: [replicaSets, 'uid-of-forged'] });
    expect(['thief', 'indirect', 'forged-x'].map((name) => world.workloadOfPod(name, 'b'))).toEqual([undefined, undefined, undefined]);
    expect(world.podsOf(statefulSets, 'db')).toEqual(['east/a/db-0']);
    expect(world.podsOf(deployments, 'web')).toEqual(['east/a/web-1-x', 'east/a/web-2-x']);
    expect(controllersOf(world.get(deployments, 'web'), world.reader)).toEqual(['uid-of-web', 'uid-of-web-1', 'uid-of-web-2']);
  });

  it("is in the pod's own cluster", () => {
    const world = company();
    world.put(pods, 'abroad', { cluster: world.west, owner: [statefulSets, 'uid-of-db'] });
    expect(world.workloadOfPod('abroad', 'a', 'west')).toBeUndefined();
    world.put(statefulSets, 'twin', { cluster: world.west, uid: 'uid-of-db' });
    expect(world.workloadOfPod('abroad', 'a', 'west')).toBe('west/a/StatefulSet/twin');
    expect(world.workloadOfPod('db-0')).toBe('east/a/StatefulSet/db');
    expect(world.podsOf(statefulSets, 'db')).toEqual(['east/a/db-0']);
  });

  it('is not another that has the name now', () => {
    const world = company();
    world.put(statefulSets, 'db', { uid: 'uid-of-new-db' });
    world.put(pods, 'db-1', { owner: [statefulSets, 'uid-of-new-db'] });
    expect([world.workloadOfPod('db-0'), world.workloadOfPod('db-1')]).toEqual([undefined, 'east/a/StatefulSet/db']);
    expect(world.podsOf(statefulSets, 'db')).toEqual(['east/a/db-1']);
  });

  it('is none where replica sets and jobs own each other in circles', () => {
    const world = company();
    world.put(replicaSets, 'r1', { owner: [replicaSets, 'uid-of-r2'] });
    world.put(replicaSets, 'r2', { owner: [replicaSets, 'uid-of-r1'] });
    world.put(replicaSets, 'self', { owner: [replicaSets, 'uid-of-self'] });
    world.put(jobs, 'j1', { owner: [jobs, 'uid-of-j1'] });
    world.put(pods, 'circle', { owner: [replicaSets, 'uid-of-r1'] });
    world.put(pods, 'loop', { owner: [replicaSets, 'uid-of-self'] });
    expect(['circle', 'loop'].map((name) => world.workloadOfPod(name))).toEqual([undefined, undefined]);
    expect(cronJobOf(world.get(jobs, 'j1'), world.reader)).toBeUndefined();
    expect(world.podsOf(jobs, 'j1')).toEqual([]);
  });

  it('is not an object of another kind that has the uid', () => {
    const world = company();
    world.put(pods, 'confused', { owner: [daemonSets, 'uid-of-db'] });
    expect(world.workloadOfPod('confused')).toBeUndefined();
  });
});

describe('the pods of a workload', () => {
  let world: World;
  beforeEach(() => {
    world = company();
  });

  it('are found through its replica sets or its jobs, where it has them', () => {
    expect(world.podsOf(deployments, 'web')).toEqual(['east/a/web-1-x', 'east/a/web-2-x']);
    expect(world.podsOf(statefulSets, 'db')).toEqual(['east/a/db-0']);
    expect(world.podsOf(daemonSets, 'agent')).toEqual(['east/a/agent-x']);
    expect(world.podsOf(jobs, 'once')).toEqual(['east/a/once-x']);
    expect(world.podsOf(cronJobs, 'nightly')).toEqual(['east/a/nightly-1-x', 'east/a/nightly-2-x']);
  });

  it('are those of its direct controllers, itself among them', () => {
    const { reader } = world;
    const controllers = (kind: (typeof workloadKinds)[number], name: string): string[] =>
      [...controllersOf(world.get(kind, name), reader)].sort();
    expect(controllers(deployments, 'web')).toEqual(['uid-of-web', 'uid-of-web-1', 'uid-of-web-2']);
    expect(controllers(statefulSets, 'db')).toEqual(['uid-of-db']);
    expect(controllers(daemonSets, 'agent')).toEqual(['uid-of-agent']);
    expect(controllers(jobs, 'once')).toEqual(['uid-of-once']);
    expect(controllers(cronJobs, 'nightly')).toEqual(['uid-of-nightly', 'uid-of-nightly-1', 'uid-of-nightly-2']);
  });

  it('are those whose workload it is, and for a cron job those of its jobs', () => {
    world.put(pods, 'direct', { owner: [deployments, 'uid-of-web'] });
    world.put(replicaSets, 'odd', { owner: [statefulSets, 'uid-of-db'] });
    world.put(pods, 'odd-x', { owner: [replicaSets, 'uid-of-odd'] });
    const names = ['web-1-x', 'web-2-x', 'db-0', 'agent-x', 'once-x', 'nightly-1-x', 'nightly-2-x', 'lone', 'direct', 'odd-x'];
    for (const [kind, workload] of [
      [deployments, 'web'],
      [statefulSets, 'db'],
      [daemonSets, 'agent'],
      [jobs, 'once'],
      [jobs, 'nightly-1'],
    ] as const) {
      const upwards = names.filter((name) => world.workloadOfPod(name) === `east/a/${kind.name}/${workload}`);
      expect(world.podsOf(kind, workload)).toEqual(upwards.map((name) => `east/a/${name}`).sort());
    }
    expect(world.workloadOfPod('direct')).toBe('east/a/Deployment/web');
  });
});

it('a job leads on to its cron job, and the cron job back to its jobs', () => {
  const world = company();
  expect(cronJobOf(world.get(jobs, 'nightly-1'), world.reader)?.name).toBe('nightly');
  expect(workloadOf(world.get(jobs, 'nightly-1'), world.reader)?.name).toBe('nightly');
  expect(cronJobOf(world.get(jobs, 'once'), world.reader)).toBeUndefined();
  world.put(jobs, 'stolen', { namespace: 'b', owner: [cronJobs, 'uid-of-nightly'] });
  expect(cronJobOf(world.get(jobs, 'stolen', 'b'), world.reader)).toBeUndefined();
  expect(
    jobsOf(world.get(cronJobs, 'nightly'), world.reader)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(['nightly-1', 'nightly-2']);
});

describe('a stream', () => {
  /** What a stream of one kind tells after its snapshot, as `TYPE name`, until something is told of the pod or workload `last`. */
  async function toldOf(world: World, kind: Kind, change: () => void, last: string): Promise<string[]> {
    const stop = new AbortController();
    const told: string[] = [];
    const stream: AsyncIterable<Change<ObjectRecord>> = world.reader.watch([kind], { identity: 'test' }, stop.signal);
    for await (const event of stream) {
      if (event.type === 'SYNCED' && told.length === 0) {
        change();
        world.put(kind, last);
      } else if (event.type === 'MODIFIED') told.push(event.record.name);
      else if (event.type === 'ADDED' && event.record.name === last) stop.abort();
    }
    return told.sort();
  }

  it('of pods tells of those whose workload is another because their replica set was released or adopted', async () => {
    const world = company();
    const release = (): void => world.put(replicaSets, 'web-1');
    expect(await toldOf(world, pods, release, 'last')).toEqual(['web-1-x']);
    expect(world.workloadOfPod('web-1-x')).toBeUndefined();
    const adopt = (): void => world.put(replicaSets, 'web-1', { owner: [deployments, 'uid-of-web'] });
    expect(await toldOf(world, pods, adopt, 'last-2')).toEqual(['web-1-x']);
  });

  it('of pods tells of those whose job was released by its cron job', async () => {
    const world = company();
    expect(await toldOf(world, pods, () => world.put(jobs, 'nightly-1'), 'last')).toEqual(['nightly-1-x']);
  });

  it('of pods is silent about replica sets and jobs that change otherwise', async () => {
    const world = company();
    const change = (): void => {
      world.put(replicaSets, 'web-1', { owner: [deployments, 'uid-of-web'], status: { replicas: 1 } });
      world.put(jobs, 'nightly-1', { owner: [cronJobs, 'uid-of-nightly'], status: { active: 1 } });
      world.put(deployments, 'web', { status: { replicas: 1 } });
    };
    expect(await toldOf(world, pods, change, 'last')).toEqual([]);
  });

  it.each([pods, ...workloadKinds].map((kind) => [kind.name, kind as Kind] as const))(
    'of %ss tells of those whose runtime class has another handler',
    async (_, kind) => {
      const world = company();
      const runtimeClass = (handler: string): void => {
        world.east.put(runtimeClasses, { metadata: { name: 'isolated' }, handler });
      };
      runtimeClass('runc');
      const podSpec = { runtimeClassName: 'isolated' };
      const spec =
        kind.name === 'Pod'
          ? podSpec
          : kind.name === 'CronJob'
            ? { jobTemplate: { spec: { template: { spec: podSpec } } } }
            : { template: { spec: podSpec } };
      world.put(kind, 'isolated', { spec });
      world.put(kind, 'plain');
      expect(await toldOf(world, kind, () => runtimeClass('kata'), 'last')).toEqual(['isolated']);
    },
  );
});
