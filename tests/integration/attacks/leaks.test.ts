import { kindNamed } from '../../support/in-process.js';
import { changesUntilSynced, podChanges, startWorld, startWorldWithNorth } from './world.js';

// What a stream tells beside its objects.

describe('a stream', () => {
  it('does not tell what becomes of the other tenant’s replica set, though a pod of one’s own names it as its owner', async () => {
    const gateway = await startWorld({ pods: 5 });
    const cluster = gateway.memory.cluster('east');
    const socket = await gateway.as('alice').socket();
    const stream = socket.subscribe(podChanges, { variables: { filter: { search: 'spy' } } });
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

  it('does not say in its cursor that there is a cluster in which the viewer has nothing', async () => {
    const { gateway, clusters } = await startWorldWithNorth({ pods: 2 });
    const north = clusters.cluster('north');
    const namesOf = (cursor: string): boolean[] => ['east', 'north'].map((name) => Buffer.from(cursor, 'base64url').includes(name));
    const follow = async (after?: string) => {
      const told = await changesUntilSynced(gateway, 'alice', { after });
      return { types: told.map(({ type }) => type), cursor: told.at(-1)!.cursor, cursors: told.map(({ cursor }) => cursor) };
    };

    const first = await follow();
    expect(first.types).toEqual(['ADDED', 'ADDED', 'SYNCED']);
    for (const cursor of first.cursors) expect(namesOf(cursor)).toEqual([true, false]);
    north.put(kindNamed('Pod'), { metadata: { name: 'not-hers', namespace: 'other' } });
    // From there nothing is told again, and no other tenant's change counts.
    const second = await follow(first.cursor);
    expect(second.types).toEqual(['SYNCED']);
    expect(namesOf(second.cursor)).toEqual([true, false]);
    const third = await follow(first.cursors[0]);
    expect(third.types).toEqual(['ADDED', 'SYNCED']);

    // A namespace of the same name there is none of hers.
    north.put(kindNamed('Namespace'), { metadata: { name: 'a1', labels: { 'openstack.org/project-id': 'p-other' } } });
    expect((await follow(second.cursor)).types).toEqual(['SYNCED']);
    await gateway.stop();
  });
});
