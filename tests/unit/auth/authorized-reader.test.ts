import type { Access } from '../../../src/auth/access.js';
import { AuthorizedReader } from '../../../src/auth/authorized-reader.js';
import { Refusals } from '../../../src/auth/refusals.js';
import type { Kind } from '../../../src/k8s/kind.js';
import { namespaces } from '../../../src/k8s/namespaces.js';
import { ObjectRecord, type RecordSource } from '../../../src/k8s/objects.js';
import type { Change, WatchQuery } from '../../../src/k8s/reader.js';
import { StoreReader } from '../../../src/k8s/store-reader.js';
import { MemoryCluster, projectLabel } from '../../support/objects.js';
import { accessWith, cloudAdminAccess, TestSession } from '../../support/viewers.js';

/** A kind of which nothing matters but its name and where it lives. */
function kindNamed(name: string, plural: string, namespaced: boolean): Kind {
  class TestRecord extends ObjectRecord {
    get kind(): string {
      return name;
    }
    get apiVersion(): string {
      return 'v1';
    }
  }
  return { name, plural, namespaced, apiVersion: 'v1', record: (source: RecordSource) => new TestRecord(source) };
}

const pods = kindNamed('Pod', 'pods', true);
const nodes = kindNamed('Node', 'nodes', false);
const claims = kindNamed('PersistentVolumeClaim', 'persistentvolumeclaims', true);
const runtimeClasses = kindNamed('RuntimeClass', 'runtimeclasses', false);
const unknowns = kindNamed('ClusterRole', 'clusterroles', false);

const inProject = (project: string | undefined): { labels: Record<string, string> } => ({
  labels: project === undefined ? {} : { [projectLabel]: project },
});

/** Namespaces `a1`, `a2` of project a, `b1` of project b, and `free` of none; a pod in each. */
function openCluster(name = 'east'): MemoryCluster {
  const cluster = new MemoryCluster(name, [pods, nodes, claims, runtimeClasses, unknowns]);
  for (const [namespace, project] of [
    ['a1', 'a'],
    ['a2', 'a'],
    ['b1', 'b'],
    ['free', undefined],
  ] as const) {
    cluster.put(namespaces, { metadata: { name: namespace, ...inProject(project) } });
    cluster.put(pods, { metadata: { name: `${namespace}-pod`, namespace, labels: { app: 'x' } } });
  }
  cluster.put(nodes, { metadata: { name: 'node-1' } });
  cluster.put(runtimeClasses, { metadata: { name: 'kata' } });
  return cluster;
}

let cluster: MemoryCluster;
let store: StoreReader;
beforeEach(() => {
  cluster = openCluster();
  store = new StoreReader([cluster], { projectLabel });
});

const readerOf = (viewer: Access | TestSession, refusals?: Refusals): AuthorizedReader => new AuthorizedReader(store, viewer, refusals);
const podKey = (namespace: string): { cluster: string; namespace: string; name: string } => ({
  cluster: 'east',
  namespace,
  name: `${namespace}-pod`,
});
const podUid = (namespace: string): string => store.get(pods, podKey(namespace))!.uid;
const listed = (reader: AuthorizedReader, kind: Kind, query: object = {}): string[] =>
  reader.list([kind], { identity: 'q', first: 500, ...query }).items.map(({ name }) => name);

function outcomeOf(read: () => unknown): string {
  try {
    const found = read();
    return found === undefined ? 'nothing' : found instanceof ObjectRecord ? found.name : JSON.stringify(found);
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

describe('an authorized reader', () => {
  it('lists, with totals, the objects of the projects where the VIEW function is held', () => {
    const reader = readerOf(accessWith({ a: 'USER', b: 'READER' }));
    expect(listed(reader, pods)).toEqual(['a1-pod', 'a2-pod', 'b1-pod']);
    expect(listed(readerOf(accessWith({ b: 'USER' })), pods)).toEqual(['b1-pod']);
    expect(
      readerOf(accessWith({ b: 'USER' }))
        .list([pods], { identity: 'q', first: 1 })
        .totalCount(),
    ).toBe(1);
    expect(listed(readerOf(cloudAdminAccess()), pods)).toEqual(['a1-pod', 'a2-pod', 'b1-pod', 'free-pod']);
  });

  it('goes by the role in each project: who administers one and uses another sees the namespaces of the first', () => {
    const reader = readerOf(accessWith({ a: 'USER', b: 'PROJECT_ADMIN' }));
    expect(listed(reader, namespaces)).toEqual(['b1']);
    expect(listed(reader, pods)).toEqual(['a1-pod', 'a2-pod', 'b1-pod']);
    expect(outcomeOf(() => reader.get(namespaces, { cluster: 'east', name: 'b1' }))).toBe('b1');
    expect(outcomeOf(() => reader.get(namespaces, { cluster: 'east', name: 'a1' }))).toBe('FORBIDDEN');
  });

  it('matches nothing for filters that name what is not the viewer’s, without an error', () => {
    const reader = readerOf(accessWith({ b: 'USER' }));
    for (const query of [{ projects: ['a'] }, { namespaces: ['a1'] }, { clusters: ['none'] }, { projects: [] }]) {
      expect(listed(reader, pods, query)).toEqual([]);
    }
    expect(listed(reader, pods, { projects: ['a', 'b'], namespaces: ['a1', 'b1'] })).toEqual(['b1-pod']);
  });

  it('gives single objects as if those of other projects did not exist', () => {
    const reader = readerOf(accessWith({ b: 'USER' }));
    const refusals = new Refusals();
    for (const [namespace, expected] of [
      ['b1', 'b1-pod'],
      ['a1', 'nothing'],
      ['free', 'nothing'],
    ] as const) {
      const uid = podUid(namespace);
      expect(outcomeOf(() => reader.get(pods, podKey(namespace)))).toBe(expected);
      expect(outcomeOf(() => reader.byUid(pods, 'east', uid))).toBe(expected);
    }
    expect(outcomeOf(() => reader.get(pods, { cluster: 'east', namespace: 'b1', name: 'none' }))).toBe('nothing');
    expect(outcomeOf(() => reader.get(pods, { cluster: 'none', namespace: 'b1', name: 'b1-pod' }))).toBe('nothing');
    expect(refusals.all()).toEqual([]);
  });

  it('refuses before it looks anything up where the function is held nowhere', () => {
    const refusals = new Refusals();
    const reader = readerOf(accessWith({ a: 'USER' }), refusals);
    for (const name of ['a1', 'b1', 'none']) {
      expect(outcomeOf(() => reader.get(namespaces, { cluster: 'east', name }))).toBe('FORBIDDEN');
      expect(outcomeOf(() => reader.byUid(namespaces, 'east', name))).toBe('FORBIDDEN');
    }
    expect(outcomeOf(() => reader.list([namespaces], { identity: 'q', first: 1 }))).toBe('FORBIDDEN');
    expect(outcomeOf(() => reader.list([pods, nodes], { identity: 'q', first: 1 }))).toBe('FORBIDDEN');
    expect(outcomeOf(() => reader.watch([nodes], { identity: 'q' }, new AbortController().signal))).toBe('FORBIDDEN');
    expect(refusals.all()).toEqual([
      { function: 'NAMESPACE_VIEW', project: undefined, count: 7, path: undefined },
      { function: 'NODE_VIEW', project: undefined, count: 2, path: undefined },
    ]);
  });

  it('refuses a single object of a joined project in which the role lacks the function, and counts it there', () => {
    const refusals = new Refusals();
    const reader = readerOf(accessWith({ a: 'USER', b: 'PROJECT_ADMIN' }), refusals);
    expect(outcomeOf(() => reader.get(namespaces, { cluster: 'east', name: 'a1' }))).toBe('FORBIDDEN');
    expect(outcomeOf(() => reader.byUid(namespaces, 'east', store.get(namespaces, { cluster: 'east', name: 'a2' })!.uid))).toBe(
      'FORBIDDEN',
    );
    expect(refusals.all()).toEqual([{ function: 'NAMESPACE_VIEW', project: 'a', count: 2, path: undefined }]);
  });

  it('shows relations of the viewer’s projects only, and none where the function is held nowhere', () => {
    const related = (access: Access, kind: Kind, index: string, value: string): string[] =>
      readerOf(access)
        .related(kind, 'east', index, value)
        .map(({ name }) => name)
        .sort();
    expect(related(accessWith({ a: 'USER' }), pods, 'label', 'app=x')).toEqual(['a1-pod', 'a2-pod']);
    expect(related(cloudAdminAccess(), pods, 'label', 'app=x')).toEqual(['a1-pod', 'a2-pod', 'b1-pod', 'free-pod']);
    expect(related(accessWith({ a: 'USER' }), pods, 'namespace', 'b1')).toEqual([]);
    expect(related(accessWith(), pods, 'label', 'app=x')).toEqual([]);
  });

  it('keeps nodes, and what is in namespaces of no project, for cloud administrators', () => {
    const administrator = readerOf(accessWith({ a: 'DEPARTMENT_ADMIN', b: 'DEPARTMENT_ADMIN' }));
    expect(listed(administrator, namespaces)).toEqual(['a1', 'a2', 'b1']);
    expect(outcomeOf(() => administrator.get(nodes, { cluster: 'east', name: 'node-1' }))).toBe('FORBIDDEN');
    expect(outcomeOf(() => administrator.get(pods, podKey('free')))).toBe('nothing');
    expect(outcomeOf(() => readerOf(cloudAdminAccess()).get(nodes, { cluster: 'east', name: 'node-1' }))).toBe('node-1');
    expect(outcomeOf(() => readerOf(cloudAdminAccess()).get(pods, podKey('free')))).toBe('free-pod');
  });

  it('lets whoever may see workloads look a runtime class up, but not list them', () => {
    const key = { cluster: 'east', name: 'kata' };
    expect(outcomeOf(() => readerOf(accessWith({ a: 'READER' })).get(runtimeClasses, key))).toBe('kata');
    expect(outcomeOf(() => readerOf(accessWith()).get(runtimeClasses, key))).toBe('FORBIDDEN');
    expect(outcomeOf(() => readerOf(accessWith({ a: 'PROJECT_ADMIN' })).list([runtimeClasses], { identity: 'q', first: 1 }))).toBe(
      'FORBIDDEN',
    );
  });

  it('shows nobody, not even a cloud administrator, a kind that no function governs', () => {
    const reader = readerOf(cloudAdminAccess());
    expect(() => reader.get(unknowns, { cluster: 'east', name: 'x' })).toThrow('ClusterRole');
    expect(() => reader.list([unknowns], { identity: 'q', first: 1 })).toThrow('ClusterRole');
    expect(() => reader.related(unknowns, 'east', 'label', 'a=b')).toThrow('ClusterRole');
  });

  it('lists kinds of several functions by the function of each object', () => {
    cluster.put(claims, { metadata: { name: 'a-claim', namespace: 'a1' } });
    cluster.put(claims, { metadata: { name: 'b-claim', namespace: 'b1' } });
    const reader = readerOf(accessWith({ a: 'USER', b: 'PROJECT_ADMIN' }));
    const page = reader.list([claims, pods, namespaces], { identity: 'q', first: 500, filter: (record) => record.name !== 'a2-pod' });
    expect(page.items.map(({ name }) => name).sort()).toEqual(['a-claim', 'a1-pod', 'b-claim', 'b1', 'b1-pod']);
    expect(page.totalCount()).toBe(5);
  });

  it('gives the names of a project’s namespaces to its members, and of no other', () => {
    const names = (access: Access, project: string): string[] =>
      readerOf(access)
        .namespacesOf(project)
        .map(({ name }) => name)
        .sort();
    expect(names(accessWith({ a: 'READER' }), 'a')).toEqual(['a1', 'a2']);
    expect(names(accessWith({ a: 'READER' }), 'b')).toEqual([]);
    expect(names(cloudAdminAccess(), 'b')).toEqual(['b1']);
  });

  it('follows a namespace to its new project with the next call', () => {
    const ofA = readerOf(accessWith({ a: 'USER' }));
    const ofB = readerOf(accessWith({ b: 'USER' }));
    cluster.put(namespaces, { metadata: { name: 'a1', ...inProject('b') } });
    expect([listed(ofA, pods), listed(ofB, pods)]).toEqual([['a2-pod'], ['a1-pod', 'b1-pod']]);
    expect(outcomeOf(() => ofA.get(pods, podKey('a1')))).toBe('nothing');
    expect(outcomeOf(() => ofB.byUid(pods, 'east', podUid('a1')))).toBe('a1-pod');
    cluster.put(namespaces, { metadata: { name: 'a1', ...inProject(undefined) } });
    expect(outcomeOf(() => ofB.get(pods, podKey('a1')))).toBe('nothing');
  });

  it('gives the objects of an earlier namespace to nobody who has the name’s next one', () => {
    const before = store.get(pods, podKey('a1'))!;
    cluster.remove(namespaces, undefined, 'a1');
    expect(outcomeOf(() => readerOf(accessWith({ a: 'USER' })).get(pods, podKey('a1')))).toBe('nothing');
    cluster.put(namespaces, { metadata: { name: 'a1', ...inProject('b') } });
    const ofB = readerOf(accessWith({ b: 'USER' }));
    expect(listed(ofB, pods)).toEqual(['b1-pod']);
    expect(outcomeOf(() => ofB.byUid(pods, 'east', before.uid))).toBe('nothing');
    expect(ofB.related(pods, 'east', 'namespace', 'a1')).toEqual([]);
    cluster.put(pods, { metadata: { name: 'a1-pod', namespace: 'a1', uid: 'fresh' } });
    expect(listed(ofB, pods)).toEqual(['a1-pod', 'b1-pod']);
    expect(outcomeOf(() => readerOf(accessWith({ a: 'USER' })).get(pods, podKey('a1')))).toBe('nothing');
  });

  it('decides by the session’s access as of each call', () => {
    const session = new TestSession(accessWith({ a: 'USER' }));
    const reader = readerOf(session);
    expect(listed(reader, pods)).toEqual(['a1-pod', 'a2-pod']);
    session.become(accessWith({ b: 'USER' }));
    expect(listed(reader, pods)).toEqual(['b1-pod']);
    session.become(accessWith());
    expect(outcomeOf(() => reader.get(pods, podKey('b1')))).toBe('FORBIDDEN');
  });
});

describe('a stream of an authorized reader', () => {
  let ends: AbortController[] = [];
  afterEach(() => {
    for (const end of ends) end.abort();
    ends = [];
  });

  /** The texts of changes, as they come. */
  function follow(reader: AuthorizedReader, query: Partial<WatchQuery<ObjectRecord>> = {}, kind: Kind = pods): Follower {
    const end = new AbortController();
    ends.push(end);
    return new Follower(reader.watch([kind], { identity: 'q', ...query }, end.signal), end);
  }

  it('tells what is lost as DELETED and what is gained as ADDED, and nothing of others', async () => {
    const session = new TestSession(accessWith({ a: 'USER' }));
    const stream = follow(readerOf(session));
    expect(await stream.take(3)).toEqual(['ADDED a1-pod', 'ADDED a2-pod', 'SYNCED']);
    session.become(accessWith({ a: 'USER', b: 'READER' }));
    expect(await stream.take(1)).toEqual(['ADDED b1-pod']);
    session.become(accessWith({ b: 'READER' }));
    expect((await stream.take(2)).sort()).toEqual(['DELETED a1-pod', 'DELETED a2-pod']);
    cluster.put(pods, { metadata: { name: 'unseen', namespace: 'a1' } });
    cluster.put(pods, { metadata: { name: 'seen', namespace: 'b1' } });
    expect(await stream.take(1)).toEqual(['ADDED seen']);
  });

  it('becomes a cloud administrator’s, and a tenant’s again', async () => {
    const session = new TestSession(accessWith({ b: 'USER' }));
    const stream = follow(readerOf(session));
    expect(await stream.take(2)).toEqual(['ADDED b1-pod', 'SYNCED']);
    session.become(cloudAdminAccess());
    expect((await stream.take(3)).sort()).toEqual(['ADDED a1-pod', 'ADDED a2-pod', 'ADDED free-pod']);
    session.become(accessWith({ b: 'USER' }));
    expect((await stream.take(3)).sort()).toEqual(['DELETED a1-pod', 'DELETED a2-pod', 'DELETED free-pod']);
  });

  it('ends with FORBIDDEN when the function is held in no project any more', async () => {
    const refusals = new Refusals();
    const session = new TestSession(accessWith({ a: 'USER' }));
    const stream = follow(readerOf(session, refusals));
    await stream.take(3);
    session.become(accessWith());
    expect(await stream.end()).toBe('FORBIDDEN');
    expect(refusals.all()).toMatchObject([{ function: 'WORKLOAD_VIEW', project: undefined }]);
    expect(session.listenerCount).toBe(0);
  });

  it('ends with FORBIDDEN when it covers no project any more in which the function is held, though another has it', async () => {
    const session = new TestSession(accessWith({ a: 'USER', b: 'USER' }));
    const stream = follow(readerOf(session), { projects: { current: () => ['a'], onChange: () => () => undefined } });
    await stream.take(3);
    session.become(accessWith({ b: 'USER' }));
    expect(await stream.end()).toBe('FORBIDDEN');
  });

  it('is empty, and goes on, for projects that were never the viewer’s', async () => {
    const session = new TestSession(accessWith({ b: 'USER' }));
    const stream = follow(readerOf(session), { projects: { current: () => ['a'], onChange: () => () => undefined } });
    expect(await stream.take(1)).toEqual(['SYNCED']);
    session.become(accessWith({ b: 'USER', a: 'USER' }));
    expect((await stream.take(2)).sort()).toEqual(['ADDED a1-pod', 'ADDED a2-pod']);
  });

  it('of cloud administrators’ objects ends when its viewer is none any more', async () => {
    const session = new TestSession(cloudAdminAccess());
    const stream = follow(readerOf(session), {}, nodes);
    expect(await stream.take(2)).toEqual(['ADDED node-1', 'SYNCED']);
    session.become(accessWith({ a: 'DEPARTMENT_ADMIN' }));
    expect(await stream.end()).toBe('FORBIDDEN');
  });

  it('ends with UNAUTHENTICATED when the sign-in does', async () => {
    const session = new TestSession(accessWith({ a: 'USER' }));
    const stream = follow(readerOf(session));
    await stream.take(3);
    session.end();
    expect(await stream.end()).toBe('UNAUTHENTICATED');
    expect(session.listenerCount).toBe(0);
  });

  it('follows a namespace that changes hands, for both sides', async () => {
    const [ofA, ofB] = [follow(readerOf(accessWith({ a: 'USER' }))), follow(readerOf(accessWith({ b: 'USER' })))];
    await ofA.take(3);
    await ofB.take(2);
    cluster.put(namespaces, { metadata: { name: 'a1', ...inProject('b') } });
    expect(await ofA.take(1)).toEqual(['DELETED a1-pod']);
    expect(await ofB.take(1)).toEqual(['ADDED a1-pod']);
  });

  it('leaves no listener behind when its client goes', async () => {
    const session = new TestSession(accessWith({ a: 'USER' }));
    const stream = follow(readerOf(session));
    await stream.take(3);
    expect(session.listenerCount).toBe(1);
    stream.abort();
    expect(await stream.end()).toBe('ended');
    expect(session.listenerCount).toBe(0);
  });

  it('is of kinds that one function governs', () => {
    const reader = readerOf(cloudAdminAccess());
    expect(() => reader.watch([pods, nodes], { identity: 'q' }, new AbortController().signal)).toThrow('one function');
  });
});

class Follower {
  readonly #changes: AsyncIterator<Change<ObjectRecord>>;
  readonly #end: AbortController;

  constructor(changes: AsyncIterable<Change<ObjectRecord>>, end: AbortController) {
    this.#changes = changes[Symbol.asyncIterator]();
    this.#end = end;
  }

  async take(count: number): Promise<string[]> {
    const texts: string[] = [];
    while (texts.length < count) {
      const { value, done } = await this.#changes.next();
      if (done === true) throw new Error('The stream has ended.');
      texts.push(
        'record' in value ? `${value.type} ${value.record.name}` : 'key' in value ? `${value.type} ${value.key.name}` : value.type,
      );
    }
    return texts;
  }

  abort(): void {
    this.#end.abort();
  }

  /** How it ends, if nothing comes before. */
  async end(): Promise<string> {
    try {
      const { done, value } = await this.#changes.next();
      return done === true ? 'ended' : `goes on with ${value.type}`;
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    }
  }
}
