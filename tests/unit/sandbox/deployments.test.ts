import type { Deployment, ReplicaSet } from '../../../src/sandbox/controllers/shapes.js';
import { condition, node, pod, startMs, TestCluster, workload, type TemplateOptions } from './test-cluster.js';

describe('deployments of an embedded cluster', () => {
  let cluster: TestCluster;
  const start = async (spec: object = {}, options: TemplateOptions = {}): Promise<void> => {
    cluster = await TestCluster.start([node('one'), node('two'), workload('Deployment', { replicas: 4, ...spec }, options)]);
  };
  afterEach(() => cluster.close());

  const web = (): Deployment => cluster.get<Deployment>('deployments.apps', 'web');
  const sets = (): ReplicaSet[] =>
    (cluster.storage.list('replicasets.apps') as ReplicaSet[]).toSorted((one, other) => revisionOf(one) - revisionOf(other));
  const revisionOf = ({ metadata }: ReplicaSet): number => Number(metadata.annotations?.['deployment.kubernetes.io/revision']);
  const setImage = (image: string): Promise<void> =>
    cluster.edit('deployments.apps', 'web', (object) => {
      object.spec.template.spec.containers[0].image = image;
    });
  const isComplete = (): boolean => {
    const { spec, status, metadata } = web();
    const wanted = spec.replicas;
    return (
      status?.observedGeneration === metadata.generation &&
      status?.updatedReplicas === wanted &&
      status?.replicas === wanted &&
      status?.availableReplicas === wanted
    );
  };
  const settle = (): Promise<number> => cluster.until('the rollout', isComplete);

  test('a new one has its pods through one replica set, and says so', async () => {
    await start();
    await settle();
    expect(cluster.count('Running')).toBe(4);
    expect(web().metadata).toMatchObject({ generation: 1, annotations: { 'deployment.kubernetes.io/revision': '1' } });
    expect(web().status).toMatchObject({ observedGeneration: 1, replicas: 4, updatedReplicas: 4, readyReplicas: 4, availableReplicas: 4 });
    expect(web().status).not.toHaveProperty('unavailableReplicas');
    expect(condition(web(), 'Available')).toMatchObject({ status: 'True', reason: 'MinimumReplicasAvailable' });
    const [set, ...others] = sets();
    expect(others).toEqual([]);
    expect(condition(web(), 'Progressing')).toMatchObject({
      status: 'True',
      reason: 'NewReplicaSetAvailable',
      message: `ReplicaSet "${set?.metadata.name}" has successfully progressed.`,
    });
    const hash = set?.metadata.labels?.['pod-template-hash'];
    expect(set?.metadata).toMatchObject({
      name: `web-${hash}`,
      ownerReferences: [{ kind: 'Deployment', name: 'web', uid: web().metadata.uid, controller: true, blockOwnerDeletion: true }],
      annotations: { 'deployment.kubernetes.io/desired-replicas': '4', 'deployment.kubernetes.io/max-replicas': '5' },
    });
    expect(cluster.pods.every(({ metadata }) => metadata.labels?.['pod-template-hash'] === hash)).toBe(true);
    expect(cluster.events('ScalingReplicaSet').map(({ message }) => String(message))).toEqual([
      `Scaled up replica set web-${hash} from 0 to 4`,
    ]);
  });

  test('a rollout never has more pods than surge allows, nor fewer available than it may miss', async () => {
    await start({ replicas: 6, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 2, maxUnavailable: 1 } } });
    await settle();
    await setImage('nginx:2');
    let most = 0;
    let least = Infinity;
    await cluster.until('the rollout', () => {
      most = Math.max(most, cluster.stayingPods.length);
      least = Math.min(least, cluster.stayingPods.filter((each) => condition(each, 'Ready')?.status === 'True').length);
      return isComplete();
    });
    expect(most).toBe(8);
    expect(least).toBe(5);
    expect(sets().map(({ spec }) => spec.replicas)).toEqual([0, 6]);
    expect(new Set(cluster.stayingPods.map(({ spec }) => spec.containers[0]?.image))).toEqual(new Set(['nginx:2']));
  });

  test('a rollout that cannot bring up its first pod leaves the old ones alone', async () => {
    await start({ progressDeadlineSeconds: 60 });
    await settle();
    await setImage('registry.invalid/web:2');
    await cluster.seconds(30);
    expect(cluster.count('Running')).toBe(3);
    expect(cluster.count('ImagePullBackOff') + cluster.count('ErrImagePull')).toBe(2);
    expect(condition(web(), 'Progressing')).toMatchObject({ status: 'True', reason: 'ReplicaSetUpdated' });
    await cluster.seconds(60);
    expect(condition(web(), 'Progressing')).toMatchObject({
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
      message: `ReplicaSet "${sets().at(-1)?.metadata.name}" has timed out progressing.`,
    });
    expect(condition(web(), 'Available')).toMatchObject({ status: 'True' });
    await setImage('nginx:3');
    await settle();
    expect(condition(web(), 'Progressing')).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' });
  });

  test('without a deadline there is no condition that tells of progress', async () => {
    await start({ progressDeadlineSeconds: 2 ** 31 - 1 });
    await settle();
    expect(condition(web(), 'Progressing')).toBeUndefined();
  });

  test('Recreate ends every old pod before it makes a new one', async () => {
    await start({ strategy: { type: 'Recreate' } }, { steering: { 'stop-seconds': 5 } });
    await settle();
    await setImage('nginx:2');
    const images = (): Set<string | undefined> => new Set(cluster.pods.map(({ spec }) => spec.containers[0]?.image));
    await cluster.until('the rollout', () => {
      expect(images().size).toBeLessThanOrEqual(1);
      return isComplete();
    });
    expect(images()).toEqual(new Set(['nginx:2']));
  });

  test('a paused one scales but does not roll out, and says that it is paused', async () => {
    await start();
    await settle();
    await cluster.edit('deployments.apps', 'web', ({ spec }) => {
      spec.paused = true;
      spec.replicas = 6;
      spec.template.spec.containers[0].image = 'nginx:2';
    });
    await cluster.until('six pods', () => cluster.count('Running') === 6);
    expect(sets()).toHaveLength(1);
    expect(condition(web(), 'Progressing')).toMatchObject({ status: 'Unknown', reason: 'DeploymentPaused' });
    await cluster.edit('deployments.apps', 'web', ({ spec }) => delete spec.paused);
    await settle();
    expect(sets()).toHaveLength(2);
  });

  test('scaling in the middle of a rollout spreads over old and new pods', async () => {
    await start(
      { replicas: 10, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } } },
      { steering: { 'ready-seconds': 1 } },
    );
    await settle();
    await cluster.edit('deployments.apps', 'web', ({ spec }) => {
      spec.template.spec.containers[0].image = 'nginx:2';
      spec.template.metadata.annotations = { 'sandbox.openstack.org/ready-seconds': 'never' };
    });
    await cluster.seconds(20);
    expect(sets().map(({ spec }) => spec.replicas)).toEqual([8, 5]);
    await cluster.edit('deployments.apps', 'web', ({ spec }) => {
      spec.replicas = 20;
    });
    await cluster.seconds(1);
    const [old = 0, fresh = 0] = sets().map(({ spec }) => spec.replicas);
    expect(old + fresh).toBe(23);
    expect(old).toBe(14);
    expect(fresh).toBe(9);
  });

  test('a template that comes back takes its replica set with a new revision', async () => {
    await start();
    await settle();
    await setImage('nginx:2');
    await settle();
    const [first, second] = sets().map(({ metadata }) => metadata.name);
    await setImage('nginx:1.27');
    await settle();
    expect(sets().map(({ metadata }) => metadata.name)).toEqual([second, first]);
    expect(sets().map(revisionOf)).toEqual([2, 3]);
    expect(sets()[1]?.metadata.annotations?.['deployment.kubernetes.io/revision-history']).toBe('1');
    expect(web().metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('3');
  });

  test('old replica sets beyond the history limit go, the oldest first', async () => {
    await start({ revisionHistoryLimit: 1 });
    for (const image of ['nginx:2', 'nginx:3', 'nginx:4']) {
      await settle();
      await setImage(image);
    }
    await settle();
    await cluster.seconds(1);
    expect(sets().map(revisionOf)).toEqual([3, 4]);
  });

  test('annotations of the deployment are those of its replica set, but for what kubectl applied', async () => {
    await start();
    await settle();
    await cluster.edit('deployments.apps', 'web', ({ metadata }) => {
      metadata.annotations = {
        ...metadata.annotations,
        'kubernetes.io/change-cause': 'a reason',
        'kubectl.kubernetes.io/last-applied-configuration': '{}',
      };
    });
    expect(sets()[0]?.metadata.annotations).toMatchObject({ 'kubernetes.io/change-cause': 'a reason' });
    expect(sets()[0]?.metadata.annotations).not.toHaveProperty(['kubectl.kubernetes.io/last-applied-configuration']);
    expect(web().metadata.generation).toBe(2);
  });

  test('a pod counts as available only after the seconds that it has to be ready', async () => {
    await start({ replicas: 1, minReadySeconds: 30 });
    await cluster.until('a ready pod', () => web().status?.readyReplicas === 1);
    expect(web().status).not.toHaveProperty('availableReplicas');
    await cluster.seconds(28);
    expect(web().status).not.toHaveProperty('availableReplicas');
    await cluster.seconds(3);
    expect(web().status?.availableReplicas).toBe(1);
  });

  test('a pod that is deleted is replaced', async () => {
    await start();
    await settle();
    const [gone] = cluster.pods.map(({ metadata }) => metadata.name);
    await cluster.delete('pods', gone ?? '');
    await cluster.until('a new pod', () => cluster.count('Running') === 4 && cluster.pods.length === 4);
    expect(cluster.find('pods', gone ?? '')).toBeUndefined();
  });

  test('scaling down takes the pods that are missed least', async () => {
    await start({ replicas: 3 });
    await settle();
    const [kept, ...others] = cluster.pods.map(({ metadata }) => metadata.name);
    await cluster.edit('pods', kept ?? '', ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, 'controller.kubernetes.io/pod-deletion-cost': '10' };
    });
    await cluster.edit('deployments.apps', 'web', ({ spec }) => {
      spec.replicas = 1;
    });
    await cluster.until('one pod', () => cluster.pods.length === 1);
    expect(cluster.pods.map(({ metadata }) => metadata.name)).toEqual([kept]);
    expect(others).toHaveLength(2);
  });

  test('pods of nobody are left alone, although the selector matches them', async () => {
    await start({ replicas: 1 });
    await cluster.create(pod('mine'));
    await cluster.edit('deployments.apps', 'web', ({ spec }) => {
      spec.replicas = 0;
    });
    await cluster.until('no pods but mine', () => cluster.pods.length === 1);
    expect(cluster.pods[0]?.metadata.name).toBe('mine');
  });

  test('a replica set whose pods are refused says why, and so does the deployment', async () => {
    await start({}, { spec: { runtimeClassName: 'kata' } });
    await cluster.seconds(1);
    const failure = { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate' };
    expect(condition(sets()[0] as ReplicaSet, 'ReplicaFailure')).toMatchObject(failure);
    expect(condition(web(), 'ReplicaFailure')).toMatchObject({
      ...failure,
      message: expect.stringContaining('pod rejected: RuntimeClass "kata" not found'),
    });
    await cluster.create({ apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', metadata: { name: 'kata' }, handler: 'kata-qemu' });
    await settle();
    expect(condition(web(), 'ReplicaFailure')).toBeUndefined();
  });

  test('times are those of the cluster', async () => {
    await start();
    await settle();
    expect(web().metadata.creationTimestamp).toBe('2026-03-01T12:00:00Z');
    expect(Date.parse(String(condition(web(), 'Available')?.lastTransitionTime))).toBeGreaterThan(startMs);
    expect(cluster.sandbox.now()).toBeGreaterThan(startMs);
  });
});
