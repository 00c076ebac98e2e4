import type { DaemonSet } from '../../../src/sandbox/controllers/shapes.js';
import { node, TestCluster, workload, type TemplateOptions } from './test-cluster.js';

describe('daemon sets of an embedded cluster', () => {
  let cluster: TestCluster;
  const start = async (nodes: object[], spec: object = {}, options: TemplateOptions = {}): Promise<void> => {
    cluster = await TestCluster.start([...nodes, workload('DaemonSet', spec, options)]);
  };
  afterEach(() => cluster.close());

  const web = (): DaemonSet => cluster.get<DaemonSet>('daemonsets.apps', 'web');
  const places = (): (string | undefined)[] => cluster.stayingPods.map(({ spec }) => spec.nodeName).sort();
  const settle = (count: number): Promise<number> =>
    cluster.until(
      `${count} pods`,
      () => cluster.pods.length === count && cluster.count('Running') === count && web().status?.numberReady === count,
    );
  const setImage = (image: string): Promise<void> =>
    cluster.edit('daemonsets.apps', 'web', ({ spec }) => {
      spec.template.spec.containers[0].image = image;
    });
  const three = [node('one'), node('two'), node('three')];

  test('every node has one pod, those that come later too', async () => {
    await start(three);
    await settle(3);
    expect(places()).toEqual(['one', 'three', 'two']);
    expect(web().status).toEqual({
      currentNumberScheduled: 3,
      desiredNumberScheduled: 3,
      numberMisscheduled: 0,
      numberReady: 3,
      numberAvailable: 3,
      updatedNumberScheduled: 3,
      observedGeneration: 1,
    });
    await cluster.create(node('four'));
    await settle(4);
    expect(places()).toEqual(['four', 'one', 'three', 'two']);
  });

  test('nodes that do not match, or whose taints are not tolerated, have none', async () => {
    await start(
      [
        node('good', { labels: { disk: 'ssd' } }),
        node('other'),
        node('tainted', { labels: { disk: 'ssd' }, taints: [{ key: 'special', effect: 'NoSchedule' }] }),
      ],
      {},
      { spec: { nodeSelector: { disk: 'ssd' } } },
    );
    await settle(1);
    expect(places()).toEqual(['good']);
    expect(web().status?.desiredNumberScheduled).toBe(1);
    await cluster.edit('nodes', 'other', ({ metadata }) => {
      metadata.labels = { ...metadata.labels, disk: 'ssd' };
    });
    await settle(2);
    await cluster.edit('nodes', 'good', ({ metadata }) => {
      delete metadata.labels?.disk;
    });
    await settle(1);
    expect(places()).toEqual(['other']);
  });

  test('its pods tolerate what is wrong with nodes, and stay on one that is cordoned', async () => {
    await start(three);
    await settle(3);
    await cluster.edit('nodes', 'one', (object) => {
      object.spec = { ...object.spec, unschedulable: true };
    });
    await cluster.delete('pods', cluster.pods.find(({ spec }) => spec.nodeName === 'one')?.metadata.name ?? '');
    await settle(3);
    expect(places()).toEqual(['one', 'three', 'two']);
  });

  test('a rollout takes as many pods at a time as it may miss', async () => {
    await start([...three, node('four')], { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '50%' } } });
    await settle(4);
    await setImage('nginx:2');
    let least = 4;
    await cluster.until('the rollout', () => {
      least = Math.min(least, web().status?.numberAvailable ?? 0);
      return web().status?.updatedNumberScheduled === 4 && web().status?.numberAvailable === 4;
    });
    expect(least).toBe(2);
    expect(new Set(cluster.pods.map(({ spec }) => spec.containers[0]?.image))).toEqual(new Set(['nginx:2']));
    expect(cluster.pods[0]?.metadata.labels?.['pod-template-generation']).toBe('2');
  });

  test('a rollout with surge has the new pod ready before the old one goes', async () => {
    await start(three, { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } });
    await settle(3);
    await setImage('nginx:2');
    let most = 0;
    await cluster.until('the rollout', () => {
      most = Math.max(most, cluster.stayingPods.length);
      expect(web().status?.numberAvailable).toBe(3);
      return web().status?.updatedNumberScheduled === 3 && cluster.pods.length === 3;
    });
    expect(most).toBe(4);
  });

  test('with OnDelete, only a pod that is deleted is of the new template', async () => {
    await start(three, { updateStrategy: { type: 'OnDelete' } });
    await settle(3);
    await setImage('nginx:2');
    await cluster.seconds(60);
    expect(web().status).not.toHaveProperty('updatedNumberScheduled');
    await cluster.delete('pods', cluster.pods[0]?.metadata.name ?? '');
    await settle(3);
    expect(web().status?.updatedNumberScheduled).toBe(1);
  });

  test('its templates are revisions, of which old ones go', async () => {
    await start([node('one')], { revisionHistoryLimit: 1 });
    for (const image of ['nginx:2', 'nginx:3', 'nginx:4']) {
      await cluster.until('the rollout', () => web().status?.updatedNumberScheduled === 1 && web().status?.numberAvailable === 1);
      await setImage(image);
    }
    await cluster.until('the rollout', () => web().status?.updatedNumberScheduled === 1 && web().status?.numberAvailable === 1);
    const revisions = cluster.storage.list('controllerrevisions.apps');
    expect(revisions.map(({ revision }) => Number(revision)).sort()).toEqual([3, 4]);
    const newest = revisions.find(({ revision }) => revision === 4);
    expect(newest?.metadata.labels?.['controller-revision-hash']).toBe(cluster.pods[0]?.metadata.labels?.['controller-revision-hash']);
  });

  test('a pod that failed is replaced, later each time', async () => {
    await start([node('one')]);
    await settle(1);
    const fail = async (): Promise<void> => {
      const pod = structuredClone(cluster.stayingPods[0]);
      if (pod === undefined) throw new Error('no pod');
      cluster.storage.update('pods', { ...pod, status: { ...pod.status, phase: 'Failed' } }, 'status');
      await cluster.seconds(0);
    };
    await fail();
    expect(cluster.events('FailedDaemonPod')).toHaveLength(1);
    await settle(1);
    await fail();
    await settle(1);
  });
});
