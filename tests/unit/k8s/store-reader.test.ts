import { isDeepStrictEqual } from 'node:util';
import type { Kind } from '../../../src/k8s/kind.js';
import { namespaces } from '../../../src/k8s/namespaces.js';
import { ObjectRecord, type KubernetesObject, type RecordSource } from '../../../src/k8s/objects.js';
import type { Change, ListQuery, Order } from '../../../src/k8s/reader.js';
import { StoreReader } from '../../../src/k8s/store-reader.js';
import { parseLabelSelector } from '../../../src/k8s/label-selector.js';
import { MemoryCluster, projectLabel, toItem } from '../../support/objects.js';

class Thing extends ObjectRecord {
  readonly size: number;
  readonly shelf: string | undefined;
  constructor(source: RecordSource) {
    super(source);
    const spec = (source.object['spec'] ?? {}) as { size?: number; shelf?: string };
    this.size = spec.size ?? 0;
    this.shelf = spec.shelf;
  }
  get kind(): string {
    return 'Thing';
  }
  get apiVersion(): string {
    return 'v1';
  }
}

class Shelf extends ObjectRecord {
  readonly color: string;
  constructor(source: RecordSource) {
    super(source);
    this.color = ((source.object['spec'] ?? {}) as { color?: string }).color ?? '';
  }
  get kind(): string {
    return 'Shelf';
  }
  get apiVersion(): string {
    return 'v1';
  }
}

const shelves: Kind<Shelf> = {
  name: 'Shelf',
  apiVersion: 'v1',
  plural: 'shelves',
  namespaced: false,
  record: (source) => new Shelf(source),
};
const things: Kind<Thing> = {
  name: 'Thing',
  apiVersion: 'v1',
  plural: 'things',
  namespaced: true,
  record: (source) => new Thing(source),
  indexes: { shelf: (thing) => (thing.shelf === undefined ? [] : [thing.shelf]) },
  neighbours: {
    of: { Shelf: (shelf) => ({ index: 'shelf', value: shelf.name }) },
    signature: (thing, reader) =>
      thing.shelf === undefined ? '' : (reader.get(shelves, { cluster: thing.clusterName, name: thing.shelf })?.color ?? ''),
  },
};
const kinds = [things, shelves];

const bySize = (direction: 'ASC' | 'DESC'): Order<Thing> => ({ name: 'SIZE', direction, value: (thing) => thing.size });

function open(...names: string[]): { clusters: MemoryCluster[]; reader: StoreReader } {
  const clusters = names.map((name) => new MemoryCluster(name, kinds));
  return { clusters, reader: new StoreReader(clusters, { projectLabel }) };
}

function namespace(cluster: MemoryCluster, name: string, project?: string, more: { uid?: string } = {}): void {
  cluster.put(namespaces, { metadata: { name, labels: project === undefined ? {} : { [projectLabel]: project }, ...more } });
}

function thing(cluster: MemoryCluster, namespaceName: string, name: string, spec: object = {}, labels: Record<string, string> = {}): void {
  cluster.put(things, { metadata: { namespace: namespaceName, name, labels }, spec });
}

const names = (records: readonly ObjectRecord[]): string[] =>
  records.map((record) => `${record.clusterName}/${record.namespaceName}/${record.name}`);

/** All pages, following cursors. */
function pages(reader: StoreReader, query: Omit<ListQuery<Thing>, 'identity'>): string[][] {
  const found: string[][] = [];
  let after = query.after;
  for (;;) {
    const page = reader.list([things], { identity: 'q', ...query, after });
    found.push(names(page.items));
    const last = page.items.at(-1);
    if (!page.hasNextPage || last === undefined) return found;
    after = page.cursorOf(last);
  }
}

describe('a list', () => {
  const { clusters, reader } = open('east', 'west');
  const [east, west] = clusters as [MemoryCluster, MemoryCluster];
  namespace(east, 'a', 'p1');
  namespace(east, 'b', 'p2');
  namespace(west, 'a', 'p1');
  thing(east, 'a', 'one', { size: 3 }, { tier: 'web' });
  thing(east, 'a', 'two', { size: 1 });
  thing(east, 'b', 'one', { size: 2 }, { tier: 'web' });
  thing(west, 'a', 'one', { size: 3 });

  it('goes by namespace, name and cluster, page by page', () => {
    expect(pages(reader, { first: 3 })).toEqual([['east/a/one', 'west/a/one', 'east/a/two'], ['east/b/one']]);
  });
  it('goes by an order, ties by key, both ways', () => {
    expect(pages(reader, { first: 10, orderBy: bySize('ASC') })).toEqual([['east/a/two', 'east/b/one', 'east/a/one', 'west/a/one']]);
    expect(pages(reader, { first: 2, orderBy: bySize('DESC') })).toEqual([
      ['west/a/one', 'east/a/one'],
      ['east/b/one', 'east/a/two'],
    ]);
  });
  it('sorts anew by values that other objects lend', () => {
    const derived: Order<Thing> = { ...bySize('ASC'), name: 'DERIVED', derived: true };
    expect(pages(reader, { first: 2, orderBy: derived }).flat()).toEqual(['east/a/two', 'east/b/one', 'east/a/one', 'west/a/one']);
  });
  it('narrows by cluster, project, namespace, label and index', () => {
    const found = (query: Partial<ListQuery<Thing>>): string[] => pages(reader, { first: 10, ...query }).flat();
    expect(found({ clusters: ['west', 'nowhere'] })).toEqual(['west/a/one']);
    expect(found({ projects: ['p1'] })).toEqual(['east/a/one', 'west/a/one', 'east/a/two']);
    expect(found({ projects: [] })).toEqual([]);
    expect(found({ projects: ['p1', 'p2'], namespaces: ['b'] })).toEqual(['east/b/one']);
    expect(found({ labels: parseLabelSelector('tier=web') })).toEqual(['east/a/one', 'east/b/one']);
    expect(found({ labels: parseLabelSelector('!tier') })).toEqual(['west/a/one', 'east/a/two']);
    expect(found({ where: [{ index: 'shelf', values: ['x'] }] })).toEqual([]);
    expect(found({ filter: (record) => record.size > 2 })).toEqual(['east/a/one', 'west/a/one']);
  });
  it('takes long lists, and no label selector that is longer than 100 conditions and 1,000 values', () => {
    const long = Array.from({ length: 20_000 }, (_, at) => `x${at}`);
    const { clusters: own, reader: ownReader } = open('east');
    const [cluster] = own as [MemoryCluster];
    for (let at = 0; at < 2_000; at += 1) thing(cluster, `x${19_000 + (at % 1_000)}`, `t${at}`, { shelf: 's' }, { app: 'none' });
    const labels = parseLabelSelector(`app notin (${long.slice(0, 1_000).join(',')})`);
    const page = ownReader.list([things], {
      identity: 'q',
      first: 1,
      namespaces: long,
      where: [{ index: 'shelf', values: [...long, 's'] }],
      labels,
    });
    expect(page.totalCount()).toBe(2_000);

    const refused = expect.objectContaining({ code: 'BAD_USER_INPUT', field: 'filter.labelSelector' }) as Error;
    expect(() => parseLabelSelector(`app notin (${long.slice(0, 1_001).join(',')})`)).toThrow(refused);
    const conditions = long.map((value) => `app!=${value}`);
    expect(parseLabelSelector(conditions.slice(0, 100).join(','))).toHaveLength(100);
    expect(() => parseLabelSelector(conditions.slice(0, 101).join(','))).toThrow(refused);
  });
  it('counts what is there on all pages', () => {
    expect(reader.list([things], { identity: 'q', first: 1 }).totalCount()).toBe(4);
    expect(reader.list([things], { identity: 'q', first: 1, projects: ['p2'] }).totalCount()).toBe(1);
  });
  it('skips to an offset, and tells what is before and behind', () => {
    const page = reader.list([things], { identity: 'q', first: 2, offset: 1 });
    expect(names(page.items)).toEqual(['west/a/one', 'east/a/two']);
    expect([page.hasPreviousPage, page.hasNextPage]).toEqual([true, true]);
    const first = reader.list([things], { identity: 'q', first: 2 });
    expect([first.hasPreviousPage, first.hasNextPage]).toEqual([false, true]);
    expect(reader.list([things], { identity: 'q', first: 2, offset: 9 }).items).toEqual([]);
  });
  it('refuses the cursor of another query, a forged one, and one with an offset', () => {
    const page = reader.list([things], { identity: 'q', first: 1 });
    const cursor = page.cursorOf(page.items[0] as Thing);
    const refused = expect.objectContaining({ code: 'BAD_USER_INPUT' }) as Error;
    expect(() => reader.list([things], { identity: 'other', first: 1, after: cursor })).toThrow(refused);
    expect(() => reader.list([things], { identity: 'q', first: 1, after: cursor, offset: 0 })).toThrow(refused);
    for (const forged of ['', 'x', 'W10', '\0', cursor.slice(3), 'a'.repeat(100_000), Buffer.from('{"a":1}').toString('base64url')]) {
      expect(() => reader.list([things], { identity: 'q', first: 1, after: forged })).toThrow(refused);
    }
  });
  it('goes on behind an object that is gone', () => {
    const { clusters: own, reader: ownReader } = open('east');
    const [cluster] = own as [MemoryCluster];
    for (const name of ['a', 'b', 'c', 'd']) thing(cluster, 'ns', name);
    const page = ownReader.list([things], { identity: 'q', first: 2 });
    const after = page.cursorOf(page.items[1] as Thing);
    cluster.remove(things, 'ns', 'b');
    thing(cluster, 'ns', 'aa');
    const next = ownReader.list([things], { identity: 'q', first: 2, after });
    expect(names(next.items)).toEqual(['east/ns/c', 'east/ns/d']);
    expect(next.hasPreviousPage).toBe(true);
  });
  it('leaves an object out of a namespace that is younger', () => {
    const { clusters: own, reader: ownReader } = open('east');
    const [cluster] = own as [MemoryCluster];
    namespace(cluster, 'ns', 'p1');
    thing(cluster, 'ns', 'old');
    namespace(cluster, 'ns', 'p2', { uid: 'again' });
    thing(cluster, 'ns', 'new');
    expect(pages(ownReader, { first: 10, projects: ['p2'] }).flat()).toEqual(['east/ns/new']);
    expect(ownReader.projectOf(ownReader.get(things, { cluster: 'east', namespace: 'ns', name: 'old' }) as Thing)).toBeUndefined();
  });
});

/** What a client has that applies every change. */
class Client {
  readonly has = new Map<string, string>();
  readonly log: string[] = [];
  cursor: string | undefined;
  isSynced = false;

  take(change: Change<Thing>): void {
    this.cursor = change.cursor;
    switch (change.type) {
      case 'RESET':
        this.has.clear();
        this.isSynced = false;
        this.log.push('RESET');
        break;
      case 'SYNCED':
        this.isSynced = true;
        this.log.push('SYNCED');
        break;
      case 'DELETED':
        this.has.delete(`${change.key.cluster}/${change.key.uid}`);
        this.log.push(`DELETED ${change.key.name}`);
        break;
      default:
        this.has.set(`${change.record.clusterName}/${change.record.uid}`, change.record.resourceVersion);
        this.log.push(`${change.type} ${change.record.name}`);
    }
  }
}

const breathe = (ms = 0): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

class Stream {
  readonly client: Client;
  readonly #stop = new AbortController();
  readonly done: Promise<void>;
  /** While it is set, the consumer does not read. */
  gate: Promise<void> | undefined;

  constructor(
    reader: StoreReader,
    query: Omit<Parameters<StoreReader['watch']>[1], 'identity'> = {},
    client = new Client(),
    gate?: Promise<void>,
  ) {
    this.client = client;
    this.gate = gate;
    this.done = (async () => {
      const changes = reader.watch([things], { identity: 'w', after: client.cursor, ...query }, this.#stop.signal);
      for await (const change of changes) {
        client.take(change);
        if (this.gate !== undefined) await this.gate;
      }
    })();
    this.done.catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.done;
  }
}

describe('a watch', () => {
  it('sends what exists by key, SYNCED, then what happens', async () => {
    const { clusters, reader } = open('east');
    const [east] = clusters as [MemoryCluster];
    thing(east, 'b', 'x');
    thing(east, 'a', 'y');
    const stream = new Stream(reader);
    await breathe(5);
    thing(east, 'a', 'z');
    await breathe();
    thing(east, 'b', 'x', { size: 9 });
    await breathe();
    east.remove(things, 'a', 'y');
    await breathe(5);
    expect(stream.client.log).toEqual(['ADDED y', 'ADDED x', 'SYNCED', 'ADDED z', 'MODIFIED x', 'DELETED y']);
    await stream.stop();
  });

  it('tells what enters and leaves a filter, and what a neighbour or a namespace changes', async () => {
    const { clusters, reader } = open('east');
    const [east] = clusters as [MemoryCluster];
    namespace(east, 'ns', 'p1');
    east.put(shelves, { metadata: { name: 's' }, spec: { color: 'red' } });
    thing(east, 'ns', 'x', { size: 1, shelf: 's' });
    const stream = new Stream(reader, { filter: (record: ObjectRecord) => (record as Thing).size > 0 });
    await breathe(5);
    thing(east, 'ns', 'x', { size: 0, shelf: 's' });
    await breathe();
    thing(east, 'ns', 'x', { size: 2, shelf: 's' });
    await breathe();
    east.put(shelves, { metadata: { name: 's' }, spec: { color: 'blue' } });
    await breathe();
    east.put(shelves, { metadata: { name: 's', labels: { a: 'b' } }, spec: { color: 'blue' } });
    await breathe();
    namespace(east, 'ns', 'p2');
    await breathe(5);
    expect(stream.client.log).toEqual(['ADDED x', 'SYNCED', 'DELETED x', 'ADDED x', 'MODIFIED x', 'MODIFIED x']);
    await stream.stop();
  });

  it('follows projects that are gained, lost and moved, and ends with what their source throws', async () => {
    const { clusters, reader } = open('east');
    const [east] = clusters as [MemoryCluster];
    namespace(east, 'a', 'p1');
    namespace(east, 'b', 'p2');
    thing(east, 'a', 'x');
    thing(east, 'b', 'y');
    let projects: readonly string[] = ['p1'];
    let failure: Error | undefined = undefined;
    let tell: () => void = () => undefined;
    const stream = new Stream(reader, {
      projects: {
        current: () => {
          if (failure !== undefined) throw failure;
          return projects;
        },
        onChange: (listener) => {
          tell = listener;
          return () => undefined;
        },
      },
    });
    await breathe(5);
    projects = ['p1', 'p2'];
    tell();
    await breathe();
    namespace(east, 'a', 'p3');
    await breathe();
    projects = ['p3'];
    tell();
    await breathe(5);
    expect(stream.client.log).toEqual(['ADDED x', 'SYNCED', 'ADDED y', 'DELETED x', 'ADDED x', 'DELETED y']);
    failure = new Error('lost');
    tell();
    await expect(stream.done).rejects.toThrow('lost');
  });

  it('looks at what is in a namespace in its own turns, and not for what concerns nothing in it', async () => {
    const { clusters, reader } = open('east');
    const [east] = clusters as [MemoryCluster];
    namespace(east, 'ns', 'p1');
    for (const name of ['c', 'a', 'b']) thing(east, 'ns', name);
    let looks = 0;
    const stream = new Stream(reader, { filter: () => (looks += 1) > 0 });
    await breathe(5);
    stream.client.log.length = looks = 0;
    east.put(namespaces, { metadata: { name: 'ns', labels: { [projectLabel]: 'p1', other: 'x' } }, status: { phase: 'Active' } });
    await breathe(5);
    expect([looks, stream.client.log]).toEqual([0, []]);
    namespace(east, 'ns', 'p2');
    expect(looks).toBe(0);
    thing(east, 'ns', '0');
    await breathe(5);
    expect(stream.client.log).toEqual(['ADDED 0', 'MODIFIED a', 'MODIFIED b', 'MODIFIED c']);
    await stream.stop();
  });

  it('moves no cursor past objects that are still to be looked at', async () => {
    const { clusters, reader } = open('east');
    const [east] = clusters as [MemoryCluster];
    namespace(east, 'ns', 'p1');
    for (const name of ['a', 'b', 'c']) thing(east, 'ns', name);
    const stream = new Stream(reader);
    await breathe(5);
    // It breaks off at the first of three.
    stream.gate = new Promise(() => undefined);
    namespace(east, 'ns', 'p2');
    await breathe(5);
    expect(stream.client.log.slice(4)).toEqual(['MODIFIED a']);
    const { cursor } = stream.client;
    const resumed = new Stream(reader, {}, Object.assign(new Client(), { cursor }));
    await breathe(20);
    expect(resumed.client.log).toEqual(['MODIFIED a', 'MODIFIED b', 'MODIFIED c', 'SYNCED']);
    await resumed.stop();
  });

  it('names nothing that a client never had once it was told to forget', async () => {
    const { clusters, reader } = open('east');
    const [east] = clusters as [MemoryCluster];
    thing(east, 'ns', 'small');
    const filter = (record: ObjectRecord): boolean => (record as Thing).size > 0;
    const stream = new Stream(reader, { filter });
    await breathe(5);
    await stream.stop();
    thing(east, 'ns', 'large', { size: 1 });
    const forgetful = east.replica();
    forgetful.remembers = false;
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const client = Object.assign(new Client(), { cursor: stream.client.cursor });
    const resumed = new Stream(new StoreReader([forgetful], { projectLabel }), { filter }, client, gate);
    await breathe(20);
    expect(client.log).toEqual(['RESET']);
    thing(forgetful, 'ns', 'small', { size: -1 });
    release();
    await breathe(5);
    expect(client.log).toEqual(['RESET', 'ADDED large', 'SYNCED']);
    await resumed.stop();
  });

  it('gives a slow consumer the latest state of each object once', async () => {
    const { clusters, reader } = open('east');
    const [east] = clusters as [MemoryCluster];
    let release: () => void = () => undefined;
    const stream = new Stream(reader);
    await breathe(5);
    stream.gate = new Promise((resolve) => (release = resolve));
    thing(east, 'ns', 'first');
    await breathe();
    for (let at = 0; at < 50; at += 1) thing(east, 'ns', 'x', { size: at });
    thing(east, 'ns', 'gone');
    east.remove(things, 'ns', 'gone');
    stream.gate = undefined;
    release();
    await breathe(5);
    expect(stream.client.log).toEqual(['SYNCED', 'ADDED first', 'ADDED x']);
    expect([...stream.client.has.values()]).toContain(reader.get(things, { cluster: 'east', namespace: 'ns', name: 'x' })?.resourceVersion);
    await stream.stop();
  });

  it('resumes with deletes on another process, by asking the API server, and resets where that forgot', async () => {
    const { clusters, reader } = open('east');
    const [east] = clusters as [MemoryCluster];
    for (const name of ['a', 'b', 'c']) thing(east, 'ns', name);
    const stream = new Stream(reader);
    await breathe(5);
    await stream.stop();
    east.remove(things, 'ns', 'b');
    thing(east, 'ns', 'c', { size: 5 });
    thing(east, 'ns', 'd');
    const other = east.replica();
    const resumed = new Stream(
      new StoreReader([other], { projectLabel }),
      {},
      Object.assign(new Client(), { cursor: stream.client.cursor }),
    );
    await breathe(20);
    expect(resumed.client.log).toEqual(['DELETED b', 'MODIFIED c', 'ADDED d', 'SYNCED']);
    expect(other.pastCalls).toBeGreaterThan(0);
    await resumed.stop();

    const forgetful = east.replica();
    forgetful.remembers = false;
    const reset = new Stream(
      new StoreReader([forgetful], { projectLabel }),
      {},
      Object.assign(new Client(), { cursor: stream.client.cursor }),
    );
    await breathe(20);
    expect(reset.client.log).toEqual(['RESET', 'ADDED a', 'ADDED c', 'ADDED d', 'SYNCED']);
    await reset.stop();
  });

  describe('that resumes', () => {
    /** What a client is told that has `a`, `b` and `gone`; the list tells `a` as it was, `b` anew and `c`, and has yet to end. */
    async function resumed(
      act: (list: () => void, end: () => void) => void,
      follow = (cluster: MemoryCluster) => cluster,
    ): Promise<string[]> {
      const { clusters, reader } = open('east');
      const [east] = clusters as [MemoryCluster];
      for (const name of ['a', 'b', 'gone']) thing(east, 'ns', name);
      const stream = new Stream(reader);
      await breathe(5);
      await stream.stop();
      const follower = follow(east);
      const store = follower.store(things);
      const [a, b] = ['a', 'b'].map((name) => (store.get('ns', name) as Thing).object) as [KubernetesObject, KubernetesObject];
      const of = (object: KubernetesObject, metadata: object): KubernetesObject => ({
        ...object,
        metadata: { ...object.metadata, ...metadata },
      });
      const listed = [a, of(b, { resourceVersion: '90' }), of(b, { name: 'c', uid: 'uid-of-c', resourceVersion: '91' })];
      let isOpen = false;
      const end = (): void => {
        if (isOpen) store.endList('100');
        isOpen = false;
      };
      act(() => {
        isOpen = true;
        store.startList();
        for (const object of listed) store.listed(toItem(object));
      }, end);
      const client = Object.assign(new Client(), { cursor: stream.client.cursor });
      const again = new Stream(new StoreReader([follower], { projectLabel }), {}, client);
      await breathe(20);
      end();
      await breathe(5);
      await again.stop();
      return client.log;
    }

    it('in the middle of a list, is told what that has told already', async () => {
      const expected = ['MODIFIED b', 'ADDED c', 'SYNCED', 'DELETED gone'];
      expect(await resumed((list) => list())).toEqual(expected);
      const busy = (cluster: MemoryCluster): MemoryCluster => {
        thing(cluster, 'ns', 'a', { size: 2 });
        return cluster.replica();
      };
      expect(await resumed((list) => list(), busy)).toEqual(['MODIFIED a', ...expected]);
    });
    it('after a list that was begun anew, is told what the abandoned one had told', async () => {
      const log = await resumed((list, end) => {
        list();
        list();
        end();
      });
      expect(log).toEqual(['MODIFIED b', 'ADDED c', 'DELETED gone', 'SYNCED']);
    });
  });

  describe('beside a cluster that was never reached', () => {
    /** A client that comes and goes, and the two clusters, of which `west` is not there yet. */
    function visited(): { east: MemoryCluster; west: MemoryCluster; visit: (act?: () => void) => Promise<string[]> } {
      const [east, west] = [new MemoryCluster('east', kinds), new MemoryCluster('west', kinds, { isSynced: false })];
      const reader = new StoreReader([east, west], { projectLabel });
      const client = new Client();
      const visit = async (act?: () => void): Promise<string[]> => {
        client.log.length = 0;
        const stream = new Stream(reader, {}, client);
        await breathe(10);
        act?.();
        await breathe(10);
        await stream.stop();
        return client.log;
      };
      thing(east, 'ns', 'a');
      return { east, west, visit };
    }
    const reach = (west: MemoryCluster): void => west.kinds.forEach((kind) => west.relist(kind));

    it('resumes, and tells all of that once it is there', async () => {
      const { east, west, visit } = visited();
      west.uid = undefined;
      expect(await visit()).toEqual(['ADDED a', 'SYNCED']);
      thing(east, 'ns', 'b');
      expect(await visit()).toEqual(['ADDED b', 'SYNCED']);
      west.uid = 'of another day';
      thing(west, 'ns', 'w');
      reach(west);
      expect(await visit()).toEqual(['ADDED w', 'SYNCED']);
      west.remove(things, 'ns', 'w');
      expect(await visit(() => thing(west, 'ns', 'v'))).toEqual(['DELETED w', 'SYNCED', 'ADDED v']);
    });
    it('starts anew where it was told what no version names, as in the middle of a first list', async () => {
      const { west, visit } = visited();
      thing(west, 'ns', 'w');
      expect(await visit()).toEqual(['ADDED a', 'ADDED w', 'SYNCED']);
      west.remove(things, 'ns', 'w');
      expect(await visit(() => reach(west))).toEqual(['RESET', 'ADDED a', 'SYNCED']);
      expect(await visit()).toEqual(['SYNCED']);
    });
  });

  describe('that many resume at once on another process', () => {
    /** Clients that left one after the other, and the cluster as another process knows it. */
    async function crowd(size: number): Promise<{ other: MemoryCluster; resume: () => Stream[] }> {
      const { clusters, reader } = open('east');
      const [east] = clusters as [MemoryCluster];
      const cursors: (string | undefined)[] = [];
      for (let at = 0; at < size; at += 1) {
        for (const kind of east.kinds) east.put(kind, { metadata: { name: `x${at}`, ...(kind.namespaced && { namespace: 'ns' }) } });
        const stream = new Stream(reader);
        await breathe(1);
        await stream.stop();
        cursors.push(stream.client.cursor);
      }
      thing(east, 'ns', 'new');
      namespace(east, 'ns', 'p1');
      const other = east.replica();
      const otherReader = new StoreReader([other], { projectLabel });
      const resume = (): Stream[] => cursors.map((cursor) => new Stream(otherReader, {}, Object.assign(new Client(), { cursor })));
      return { other, resume };
    }
    const settle = async (streams: readonly Stream[]): Promise<void> => {
      for (const endMs = Date.now() + 5_000; Date.now() < endMs && !streams.every(({ client }) => client.isSynced);) await breathe(5);
      await Promise.all(streams.map((stream) => stream.stop()));
    };

    it('asks the API server once per kind, and never again', async () => {
      const { other, resume } = await crowd(20);
      const streams = resume();
      await settle(streams);
      expect(other.pastCalls).toBe(3);
      for (const [at, { client }] of streams.entries()) {
        expect(client.log.filter((line) => line.startsWith('ADDED'))).toHaveLength(20 - at);
        expect(client.log.at(-1)).toBe('SYNCED');
      }
      await settle(resume());
      expect(other.pastCalls).toBe(3);
    });
    it('asks no more than it takes to find out whom it can tell, where that forgot', async () => {
      const { other, resume } = await crowd(20);
      other.remembers = false;
      const streams = resume();
      await settle(streams);
      expect(streams.map(({ client }) => client.log[0])).toEqual(streams.map(() => 'RESET'));
      // Twenty are halved five times.
      expect(other.pastCalls).toBeLessThanOrEqual(3 * 6);
      const asked = other.pastCalls;
      await settle(resume());
      expect(other.pastCalls).toBe(asked);
    });
    it('lets a client go that does not wait for the answer, without an error', async () => {
      const { other, resume } = await crowd(2);
      other.past = () => new Promise(() => undefined);
      const streams = resume();
      await breathe(10);
      await Promise.all(streams.map((stream) => stream.stop()));
      expect(streams.map(({ client }) => client.log)).toEqual([[], []]);
    });
  });

  it('asks a cluster for no more than four of its kinds at once', async () => {
    const many = Array.from({ length: 9 }, (_, at) => ({ ...shelves, name: `Kind${at}`, plural: `kinds${at}` }));
    const east = new MemoryCluster('east', many);
    const [before] = [east.version];
    for (const kind of many) east.put(kind, { metadata: { name: 'x' } });
    const other = east.replica();
    const answer = other.past.bind(other);
    let [atOnce, most] = [0, 0];
    other.past = async (...question) => {
      most = Math.max(most, (atOnce += 1));
      await breathe(5);
      atOnce -= 1;
      return answer(...question);
    };
    const { pasts } = new StoreReader([other], { projectLabel });
    const told = await Promise.all(many.map((kind) => pasts.since(other, kind, before, new AbortController().signal)));
    expect(told.map((changes) => changes?.length)).toEqual(many.map(() => 1));
    expect(most).toBe(4);
  });

  it('resumes with what is new as ADDED, though what it belongs to changed as well', async () => {
    const { clusters, reader } = open('east');
    const [east] = clusters as [MemoryCluster];
    east.put(shelves, { metadata: { name: 's' }, spec: { color: 'red' } });
    thing(east, 'ns', 'old', { shelf: 's' });
    const stream = new Stream(reader);
    await breathe(5);
    await stream.stop();
    thing(east, 'ns', 'new', { shelf: 's' });
    east.put(shelves, { metadata: { name: 's' }, spec: { color: 'blue' } });
    const resumed = new Stream(
      new StoreReader([east.replica()], { projectLabel }),
      {},
      Object.assign(new Client(), { cursor: stream.client.cursor }),
    );
    await breathe(20);
    expect([...resumed.client.log].sort()).toEqual(['ADDED new', 'MODIFIED old', 'SYNCED']);
    await resumed.stop();
  });

  it('takes its own cursors over 60 clusters and 12 kinds', async () => {
    const others = Array.from({ length: 10 }, (_, at) => ({ ...shelves, name: `Neighbour${at}`, plural: `neighbours${at}` }));
    const all = { index: 'namespace', value: '' };
    const many: Kind<Thing> = {
      ...things,
      neighbours: { of: Object.fromEntries(others.map(({ name }) => [name, () => all])), signature: () => '' },
    };
    const clusters = Array.from({ length: 60 }, (_, at) => new MemoryCluster(`cluster-of-some-region-${at}`, [many, ...others]));
    for (const [at, cluster] of clusters.entries()) {
      cluster.uid = `123e4567-e89b-12d3-a456-4266141740${at + 10}`;
      for (const kind of cluster.kinds) cluster.store(kind).endList('1234567890');
    }
    const reader = new StoreReader(clusters, { projectLabel });
    const client = new Client();
    for (let round = 0; round < 2; round += 1) {
      const stop = new AbortController();
      for await (const change of reader.watch([many], { identity: 'w', after: client.cursor }, stop.signal)) {
        client.take(change);
        stop.abort();
      }
    }
    expect(client.log).toEqual(['SYNCED', 'SYNCED']);
    expect(client.cursor?.length).toBeGreaterThan(25_000);
  });

  it('refuses cursors that are forged or of another query', async () => {
    const { reader } = open('east');
    const page = reader.list([things], { identity: 'w', first: 1 });
    expect(page.items).toEqual([]);
    const stranger = Buffer.from('["w","AAAAAAAAAAA","",[],0]').toString('base64url');
    const own = new Stream(reader);
    await breathe(5);
    await own.stop();
    // To an API server, version 0 is any that it likes.
    const [type, of, scope, told] = JSON.parse(Buffer.from(own.client.cursor ?? '', 'base64url').toString()) as [
      unknown,
      unknown,
      unknown,
      unknown,
    ];
    const anyVersion = JSON.parse(JSON.stringify(told).replace(/"\d+"/g, '"0"')) as unknown;
    const zero = Buffer.from(JSON.stringify([type, of, scope, anyVersion, 0])).toString('base64url');
    for (const after of ['x', 'W10', stranger, zero]) {
      const stream = new Stream(reader, { after });
      await expect(stream.done).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    }
  });
});

/** Mulberry32: small, and the same everywhere. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe('under random histories', () => {
  const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);

  it(`lists and streams agree with what there is (TEST_SEED=${seed})`, async () => {
    const next = random(seed);
    const pick = <T>(of: readonly T[]): T => of[Math.floor(next() * of.length)] as T;
    for (let round = 0; round < 6; round += 1) {
      const clusters = ['east', 'west'].map((name) => new MemoryCluster(name, kinds, { historySize: pick([0, 5, 1_000]) }));
      let current: StoreReader = new StoreReader(clusters, { projectLabel });
      let live = clusters;
      const scopes = [undefined, ['p1'], ['p1', 'p2']] as const;
      const filters = [undefined, (record: ObjectRecord): boolean => (record as Thing).size % 2 === 0];
      const viewers = scopes.flatMap((projects) => filters.map((filter) => ({ projects, filter })));
      const queryOf = ({ projects, filter }: (typeof viewers)[number]): object => ({
        ...(projects === undefined ? {} : { projects: { current: () => projects, onChange: () => () => undefined } }),
        filter,
      });
      let streams = viewers.map((viewer) => new Stream(current, queryOf(viewer)));

      for (let step = 0; step < 150; step += 1) {
        const cluster = pick(live);
        const name = pick(['a', 'b', 'c', 'd', 'e', 'f']);
        const ns = pick(['n1', 'n2', 'n3']);
        const dice = next();
        if (dice < 0.5) thing(cluster, ns, name, { size: Math.floor(next() * 10), shelf: pick(['s', 't', undefined]) });
        else if (dice < 0.65) cluster.remove(things, ns, name);
        else if (dice < 0.72) namespace(cluster, ns, pick(['p1', 'p2', 'p3', undefined]));
        else if (dice < 0.75) namespace(cluster, ns, pick(['p1', 'p2']), { uid: `again-${step}` });
        else if (dice < 0.78) cluster.remove(namespaces, undefined, ns);
        else if (dice < 0.82) cluster.put(shelves, { metadata: { name: pick(['s', 't']) }, spec: { color: pick(['red', 'blue']) } });
        else if (dice < 0.85) cluster.relist(pick([things, namespaces]));
        else if (dice < 0.9) cluster.bookmark();
        else if (dice < 0.95) await breathe();
        else if (dice < 0.98) {
          // Some break off wherever they are, and come back with their cursors, perhaps to another process.
          await Promise.all(streams.map((stream) => stream.stop()));
          if (next() < 0.5) {
            live = live.map((of) => of.replica(pick([0, 5, 1_000])));
            current = new StoreReader(live, { projectLabel });
            for (const of of live) of.remembers = next() < 0.8;
          }
          streams = streams.map((stream, at) => new Stream(current, queryOf(viewers[at] as (typeof viewers)[number]), stream.client));
        } else await breathe(1);
      }
      const expectedOf = (viewer: (typeof viewers)[number]): Map<string, string> => {
        const expected = new Map<string, string>();
        for (const cluster of live) {
          for (const record of cluster.store(things).all()) {
            const project = current.projectOf(record);
            if (viewer.projects !== undefined && !(viewer.projects as readonly (string | undefined)[]).includes(project)) continue;
            if (viewer.filter?.(record) === false) continue;
            expected.set(`${record.clusterName}/${record.uid}`, record.resourceVersion);
          }
        }
        return new Map([...expected].sort());
      };
      const knownTo = (at: number): Map<string, string> => new Map([...(streams[at]?.client.has ?? [])].sort());
      const isLevel = (): boolean =>
        viewers.every((viewer, at) => streams[at]?.client.isSynced === true && isDeepStrictEqual(knownTo(at), expectedOf(viewer)));
      // A replay that nobody can prove ends after seconds; a busy machine takes its time as well.
      for (const endMs = Date.now() + 5_000; Date.now() < endMs && !isLevel();) await breathe(5);
      for (const [at, viewer] of viewers.entries()) {
        const expected = expectedOf(viewer);
        expect(streams[at]?.client.isSynced).toBe(true);
        expect(knownTo(at)).toEqual(expected);
        const listed = pages(current, {
          first: 3,
          projects: viewer.projects,
          filter: viewer.filter,
          orderBy: bySize(pick(['ASC', 'DESC'])),
        }).flat();
        expect(listed.length).toBe(expected.size);
        expect(new Set(listed).size).toBe(expected.size);
      }
      await Promise.all(streams.map((stream) => stream.stop()));
    }
  }, 60_000);
});
