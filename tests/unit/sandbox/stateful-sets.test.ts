import type { ControllerRevision, StatefulSet } from '../../../src/sandbox/controllers/shapes.js';
import { node, TestCluster, workload, type TemplateOptions } from './test-cluster.js';

describe('stateful sets of an embedded cluster', () => {
  let cluster: TestCluster;
  const start = async (spec: object = {}, options: TemplateOptions = {}): Promise<void> => {
    cluster = await TestCluster.start([
      node('one'),
      node('two'),
      workload('StatefulSet', { serviceName: 'web', replicas: 3, ...spec }, options),
    ]);
  };
  afterEach(() => cluster.close());

  const web = (): StatefulSet => cluster.get<StatefulSet>('statefulsets.apps', 'web');
  const names = (): string[] => cluster.pods.map(({ metadata }) => metadata.name);
  const images = (): (string | undefined)[] => cluster.pods.map(({ spec }) => spec.containers[0]?.image);
  const settle = (count = 3): Promise<number> =>
    cluster.until(`${count} pods`, () => cluster.pods.length === count && cluster.count('Running') === count);
  const setImage = (image: string): Promise<void> =>
    cluster.edit('statefulsets.apps', 'web', ({ spec }) => {
      spec.template.spec.containers[0].image = image;
    });
  const revisions = (): ControllerRevision[] =>
    (cluster.storage.list('controllerrevisions.apps') as ControllerRevision[]).toSorted((one, other) => one.revision - other.revision);

  test('its pods are numbered, and each waits for the one before to be ready', async () => {
    await start({}, { steering: { 'ready-seconds': 5 } });
    const seen: string[] = [];
    await cluster.until('three pods', () => {
      const unready = cluster.pods.filter(({ status }) => status?.conditions?.find(({ type }) => type === 'Ready')?.status !== 'True');
      expect(unready.length).toBeLessThanOrEqual(1);
      if (cluster.pods.length > seen.length) seen.push(names().at(-1) ?? '');
      return cluster.count('Running') === 3 && unready.length === 0;
    });
    expect(seen).toEqual(['web-0', 'web-1', 'web-2']);
    const [first] = cluster.pods;
    expect(first?.metadata.labels).toMatchObject({
      'statefulset.kubernetes.io/pod-name': 'web-0',
      'apps.kubernetes.io/pod-index': '0',
      'controller-revision-hash': web().status?.currentRevision,
    });
    expect(first?.spec).toMatchObject({ hostname: 'web-0', subdomain: 'web' });
    expect(web().status).toMatchObject({ replicas: 3, readyReplicas: 3, currentReplicas: 3, updatedReplicas: 3, availableReplicas: 3 });
    expect(web().status?.currentRevision).toBe(web().status?.updateRevision);
  });

  test('a parallel one has all of them at once', async () => {
    await start({ podManagementPolicy: 'Parallel' });
    await cluster.seconds(0);
    expect(names()).toEqual(['web-0', 'web-1', 'web-2']);
  });

  test('ordinals may begin elsewhere', async () => {
    await start({ ordinals: { start: 5 } });
    await settle();
    expect(names()).toEqual(['web-5', 'web-6', 'web-7']);
  });

  test('a pod that is deleted comes back under its name', async () => {
    await start();
    await settle();
    const before = cluster.get('pods', 'web-1').metadata.uid;
    await cluster.delete('pods', 'web-1');
    await cluster.until('another web-1', () => cluster.find('pods', 'web-1')?.metadata.uid !== before && cluster.count('Running') === 3);
    expect(names()).toEqual(['web-0', 'web-1', 'web-2']);
  });

  test('scaling down takes the highest numbers, one after the other', async () => {
    await start({ replicas: 4 });
    await settle(4);
    await cluster.edit('statefulsets.apps', 'web', ({ spec }) => {
      spec.replicas = 1;
    });
    const ending: string[] = [];
    await cluster.until('one pod', () => {
      const terminating = cluster.pods.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
      expect(terminating.length).toBeLessThanOrEqual(1);
      for (const { metadata } of terminating) if (!ending.includes(metadata.name)) ending.push(metadata.name);
      return cluster.pods.length === 1;
    });
    expect(ending).toEqual(['web-3', 'web-2', 'web-1']);
  });

  test('a rollout replaces pods from the highest number down, one at a time', async () => {
    await start();
    await settle();
    await setImage('nginx:2');
    expect(web().status?.updateRevision).not.toBe(web().status?.currentRevision);
    const history: string[] = [];
    await cluster.until('the rollout', () => {
      expect(cluster.count('Running')).toBeGreaterThanOrEqual(2);
      const now = images().join();
      if (cluster.pods.length === 3 && history.at(-1) !== now) history.push(now);
      return web().status?.currentRevision === web().status?.updateRevision;
    });
    expect(history).toEqual([
      'nginx:1.27,nginx:1.27,nginx:1.27',
      'nginx:1.27,nginx:1.27,nginx:2',
      'nginx:1.27,nginx:2,nginx:2',
      'nginx:2,nginx:2,nginx:2',
    ]);
    expect(web().status).toMatchObject({ currentReplicas: 3, updatedReplicas: 3 });
  });

  test('a rollout may take several pods at a time where it says so', async () => {
    await start({ replicas: 4, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 2 } } });
    await settle(4);
    await setImage('nginx:2');
    const terminating = cluster.pods.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
    expect(terminating.map(({ metadata }) => metadata.name)).toEqual(['web-2', 'web-3']);
  });

  test('pods below the partition stay as they are, even where they are made again', async () => {
    await start({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } });
    await settle();
    await setImage('nginx:2');
    await cluster.until('the last pod', () => images()[2] === 'nginx:2' && cluster.count('Running') === 3);
    await cluster.seconds(30);
    expect(images()).toEqual(['nginx:1.27', 'nginx:1.27', 'nginx:2']);
    const before = cluster.get('pods', 'web-0').metadata.uid;
    await cluster.delete('pods', 'web-0');
    await cluster.until('another web-0', () => cluster.find('pods', 'web-0')?.metadata.uid !== before && cluster.count('Running') === 3);
    expect(images()[0]).toBe('nginx:1.27');
    expect(web().status).toMatchObject({ updatedReplicas: 1 });
    expect(web().status?.currentRevision).not.toBe(web().status?.updateRevision);
    await cluster.edit('statefulsets.apps', 'web', ({ spec }) => {
      spec.updateStrategy.rollingUpdate.partition = 0;
    });
    await cluster.until('the rest', () => web().status?.currentRevision === web().status?.updateRevision);
    expect(images()).toEqual(['nginx:2', 'nginx:2', 'nginx:2']);
  });

  test('with OnDelete, only a pod that is deleted is of the new template', async () => {
    await start({ updateStrategy: { type: 'OnDelete' } });
    await settle();
    await setImage('nginx:2');
    await cluster.seconds(60);
    expect(images()).toEqual(['nginx:1.27', 'nginx:1.27', 'nginx:1.27']);
    await cluster.delete('pods', 'web-1');
    await cluster.until('another web-1', () => cluster.pods.length === 3 && cluster.count('Running') === 3 && images()[1] === 'nginx:2');
    expect(images()).toEqual(['nginx:1.27', 'nginx:2', 'nginx:1.27']);
  });

  test('each template is a revision, and one that comes back gets a new number', async () => {
    await start({ replicas: 1, revisionHistoryLimit: 1 });
    await settle(1);
    const isDone = (): boolean => web().status?.currentRevision === web().status?.updateRevision && cluster.count('Running') === 1;
    await setImage('nginx:2');
    await cluster.until('the second', isDone);
    await setImage('nginx:1.27');
    await cluster.until('the first again', isDone);
    const templates = revisions().map(({ revision, data }) => {
      const { spec } = data as { spec: { template: { $patch: string; spec: { containers: { image: string }[] } } } };
      return [revision, spec.template.$patch, spec.template.spec.containers[0]?.image];
    });
    expect(templates).toEqual([
      [2, 'replace', 'nginx:2'],
      [3, 'replace', 'nginx:1.27'],
    ]);
    expect(web().status?.currentRevision).toBe(revisions()[1]?.metadata.name);
    await setImage('nginx:3');
    await cluster.until('the third', isDone);
    expect(revisions().map(({ revision }) => revision)).toEqual([3, 4]);
  });

  test('each pod has claims of its own, which outlive it', async () => {
    const claim = { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } };
    await start(
      { replicas: 2, volumeClaimTemplates: [claim] },
      {
        spec: {
          volumes: [
            { name: 'data', emptyDir: {} },
            { name: 'more', emptyDir: {} },
          ],
        },
      },
    );
    await settle(2);
    const claims = (): string[] => cluster.storage.list('persistentvolumeclaims').map(({ metadata }) => metadata.name);
    expect(claims()).toEqual(['data-web-0', 'data-web-1']);
    expect(cluster.pods[0]?.spec.volumes).toEqual([
      { name: 'data', persistentVolumeClaim: { claimName: 'data-web-0' } },
      { name: 'more', emptyDir: {} },
    ]);
    await cluster.edit('statefulsets.apps', 'web', ({ spec }) => {
      spec.replicas = 0;
    });
    await settle(0);
    expect(claims()).toEqual(['data-web-0', 'data-web-1']);
  });

  test('a pod that is not ready holds back those behind it, and a good template mends it', async () => {
    await start({ replicas: 2 }, { image: 'registry.invalid/web:1' });
    await cluster.seconds(60);
    expect(names()).toEqual(['web-0']);
    await setImage('nginx:2');
    await cluster.delete('pods', 'web-0');
    await settle(2);
  });
});
