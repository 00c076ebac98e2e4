import { node, TestCluster, workload } from './test-cluster.js';

describe('what has owners in an embedded cluster', () => {
  let cluster: TestCluster;
  beforeEach(async () => {
    cluster = await TestCluster.start([node('one'), workload('Deployment', { replicas: 2 })]);
    await cluster.until('the pods', () => cluster.count('Running') === 2);
  });
  afterEach(() => cluster.close());

  const has = (): Record<string, number> =>
    Object.fromEntries(
      ['deployments.apps', 'replicasets.apps', 'pods'].map((resource) => [resource, cluster.storage.list(resource).length]),
    );
  const configMap = (name: string, owners: object[]): object => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default', ownerReferences: owners },
  });
  const owner = (name: string, more: object = {}): object => {
    const { uid } = cluster.get('configmaps', name).metadata;
    return { apiVersion: 'v1', kind: 'ConfigMap', name, uid, ...more };
  };

  test('goes after its owner in the background', async () => {
    await cluster.delete('deployments.apps', 'web', { propagationPolicy: 'Background' });
    expect(has()).toMatchObject({ 'deployments.apps': 0 });
    await cluster.until('the rest', () => has().pods === 0);
    expect(has()).toEqual({ 'deployments.apps': 0, 'replicasets.apps': 0, pods: 0 });
  });

  test('goes before its owner in the foreground', async () => {
    await cluster.delete('deployments.apps', 'web', { propagationPolicy: 'Foreground' });
    expect(cluster.get('deployments.apps', 'web').metadata).toMatchObject({
      finalizers: ['foregroundDeletion'],
      deletionTimestamp: expect.any(String),
    });
    let order = '';
    await cluster.until('the end', () => {
      const { 'deployments.apps': deployments, 'replicasets.apps': sets, pods } = has();
      if (pods === 0 && !order.includes('pods')) order += 'pods ';
      expect((deployments ?? 0) >= (sets ?? 0)).toBe(true);
      return deployments === 0;
    });
    expect(order).toBe('pods ');
    expect(has()).toEqual({ 'deployments.apps': 0, 'replicasets.apps': 0, pods: 0 });
  });

  test('stays without its owner where it is orphaned', async () => {
    const [set] = cluster.storage.list('replicasets.apps');
    await cluster.delete('deployments.apps', 'web', { propagationPolicy: 'Orphan' });
    await cluster.seconds(60);
    expect(has()).toEqual({ 'deployments.apps': 0, 'replicasets.apps': 1, pods: 2 });
    expect(cluster.get('replicasets.apps', set?.metadata.name ?? '').metadata).not.toHaveProperty('ownerReferences');
  });

  test('stays as long as one of several owners does, and names only those', async () => {
    await cluster.create(configMap('a', []), configMap('b', []));
    await cluster.create(configMap('both', [owner('a'), owner('b')]));
    await cluster.delete('configmaps', 'a');
    expect(cluster.get('configmaps', 'both').metadata.ownerReferences).toMatchObject([{ name: 'b' }]);
    await cluster.delete('configmaps', 'b');
    expect(cluster.find('configmaps', 'both')).toBeUndefined();
  });

  test('goes at once where its owner is gone already, or was another of that name', async () => {
    await cluster.create(configMap('a', []));
    const before = owner('a');
    await cluster.delete('configmaps', 'a');
    await cluster.create(configMap('a', []));
    await cluster.create(configMap('late', [before]));
    expect(cluster.find('configmaps', 'late')).toBeUndefined();
    expect(cluster.find('configmaps', 'a')).toBeDefined();
  });

  test('stays where the owner is of a kind that the cluster does not know', async () => {
    await cluster.create(configMap('mine', [{ apiVersion: 'example.org/v1', kind: 'Thing', name: 'x', uid: 'u-1' }]));
    await cluster.seconds(60);
    expect(cluster.find('configmaps', 'mine')).toBeDefined();
  });

  test('holds its owner in the foreground only where it says so', async () => {
    await cluster.create(configMap('a', []));
    await cluster.create({ ...configMap('held', [owner('a', { blockOwnerDeletion: true })]) });
    await cluster.edit('configmaps', 'held', ({ metadata }) => {
      metadata.finalizers = ['example.org/hold'];
    });
    await cluster.delete('configmaps', 'a', { propagationPolicy: 'Foreground' });
    await cluster.seconds(60);
    expect(cluster.find('configmaps', 'a')).toBeDefined();
    await cluster.edit('configmaps', 'held', ({ metadata }) => {
      metadata.finalizers = [];
    });
    expect([cluster.find('configmaps', 'a'), cluster.find('configmaps', 'held')]).toEqual([undefined, undefined]);
  });

  test('goes with its namespace, whose last pod ends in its own time', async () => {
    const inside = structuredClone(workload('Deployment', { replicas: 2 }, { steering: { 'stop-seconds': 10 } })) as {
      metadata: { namespace: string };
    };
    inside.metadata.namespace = 'shop';
    await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }, inside);
    await cluster.seconds(20);
    expect(cluster.storage.list('pods', 'shop')).toHaveLength(2);
    cluster.storage.delete('namespaces', undefined, 'shop');
    await cluster.seconds(5);
    expect(cluster.get('namespaces', 'shop').status).toMatchObject({ phase: 'Terminating' });
    expect(cluster.storage.list('deployments.apps', 'shop')).toEqual([]);
    expect(cluster.storage.list('pods', 'shop')).toHaveLength(2);
    await cluster.seconds(10);
    expect(cluster.find('namespaces', 'shop')).toBeUndefined();
    expect(has()).toEqual({ 'deployments.apps': 1, 'replicasets.apps': 1, pods: 2 });
  });
});
