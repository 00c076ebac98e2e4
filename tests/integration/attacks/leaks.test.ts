import { kindNamed } from '../../support/in-process.js';
import { startWorld } from './world.js';

// What a stream tells beside its objects.

const changes = 'subscription ($filter: PodFilter) { podChanges(filter: $filter) { type cursor } }';

describe('a stream', () => {
  it('does not tell what becomes of the other tenant’s replica set, though a pod of one’s own names it as its owner', async () => {
    const gateway = await startWorld({ pods: 5 });
    const cluster = gateway.memory.cluster('east');
    const socket = await gateway.as('alice').socket();
    const stream = socket.subscribe(changes, { variables: { filter: { search: 'spy' } } });
    expect((await stream.answer()).data.podChanges.type).toBe('SYNCED');
    const spy = (labels: Readonly<Record<string, string>>) => ({
      metadata: {
        name: 'spy',
        namespace: 'a1',
        labels,
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'rs-3', uid: 'set-b1-3', controller: true }],
      },
    });
    cluster.put(kindNamed('Pod'), spy({}));
    expect((await stream.answer()).data.podChanges.type).toBe('ADDED');
    cluster.remove(kindNamed('ReplicaSet'), 'b1', 'rs-3');
    // Whatever came of that comes before the end of the pod.
    cluster.put(kindNamed('Namespace'), { metadata: { name: 'unrelated' } });
    await new Promise(setImmediate);
    await gateway.as('alice').query('{ viewer { id } }');
    cluster.remove(kindNamed('Pod'), 'a1', 'spy');
    expect((await stream.answer()).data.podChanges.type).toBe('DELETED');
    await socket.close();
    await gateway.stop();
  });
});
