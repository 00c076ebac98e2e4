import { SandboxServer } from '../../support/sandbox-server.js';

const path = '/api/v1/namespaces/default/configmaps';

type Event = { type: string; object: any };

/** One watch, whose events are read as they are wanted. */
class Watch {
  readonly #lines: AsyncIterator<Event>;

  private constructor(
    response: Response,
    readonly close: () => void,
  ) {
    this.#lines = linesOf(response);
  }

  /** @returns once the server has begun to answer. */
  static async open(url: string, accept = 'application/json'): Promise<Watch> {
    const abort = new AbortController();
    const response = await fetch(url, { signal: abort.signal, headers: { accept } });
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
    return new Watch(response, () => abort.abort());
  }

  /** The next so many events. @throws Error where the watch ends before. */
  async take(count: number): Promise<Event[]> {
    const events: Event[] = [];
    while (events.length < count) {
      const next = await this.#lines.next();
      if (next.done === true) throw new Error(`it ended after ${JSON.stringify(events)}`);
      events.push(next.value);
    }
    return events;
  }

  /** All that still comes until it ends. */
  async rest(): Promise<Event[]> {
    const events: Event[] = [];
    for (let next = await this.#lines.next(); next.done !== true; next = await this.#lines.next()) events.push(next.value);
    return events;
  }
}

async function* linesOf(response: Response): AsyncGenerator<Event> {
  let rest = '';
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    const lines = (rest + Buffer.from(chunk).toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line) as Event;
  }
}

describe('watches of the embedded API server', () => {
  let cluster: SandboxServer;
  const open: Watch[] = [];
  const start = async (bookmarkIntervalMs?: number): Promise<void> => {
    cluster = await SandboxServer.start({ bookmarkIntervalMs });
  };
  afterEach(async () => {
    for (const watch of open.splice(0)) watch.close();
    await cluster.close();
    expect(cluster.errors).toEqual([]);
  });

  const watch = async (query: string, where = path, accept?: string): Promise<Watch> => {
    const made = await Watch.open(`${cluster.url}${where}?watch=true&${query}`, accept);
    open.push(made);
    return made;
  };
  const make = (name: string, labels: Record<string, string> = {}): void =>
    void cluster.storage.create('configmaps', { metadata: { name, namespace: 'default', labels } });
  const label = (name: string, labels: Record<string, string>): void => {
    const object = structuredClone(cluster.storage.get('configmaps', 'default', name));
    if (object === undefined) throw new Error(`no ${name}`);
    cluster.storage.update('configmaps', { ...object, metadata: { ...object.metadata, labels } });
  };
  const told = (events: readonly Event[]): string[] => events.map(({ type, object }) => `${type} ${object.metadata?.name ?? ''}`.trim());

  test('without a version begin with what there is, and go on', async () => {
    await start();
    make('a');
    const all = await watch('');
    expect(told(await all.take(1))).toEqual(['ADDED a']);
    make('b');
    label('a', { x: 'y' });
    cluster.storage.delete('configmaps', 'default', 'b');
    const events = await all.take(3);
    expect(told(events)).toEqual(['ADDED b', 'MODIFIED a', 'DELETED b']);
    const versions = events.map(({ object }) => Number(object.metadata.resourceVersion));
    expect(versions).toEqual([...versions].sort((one, other) => one - other));
    expect(events[0]?.object).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1' });
  });

  test('from a version tell everything after it, once', async () => {
    await start();
    make('a');
    const since = cluster.storage.resourceVersion;
    make('b');
    cluster.storage.delete('configmaps', 'default', 'a');
    const late = await watch(`resourceVersion=${since}`);
    expect(told(await late.take(2))).toEqual(['ADDED b', 'DELETED a']);
    make('c');
    expect(told(await late.take(1))).toEqual(['ADDED c']);
  });

  test('lose nothing and repeat nothing while the past is still being sent', async () => {
    await start();
    for (let index = 0; index < 3_000; index++) make(`old-${index}`);
    const all = await watch('');
    const [first] = await all.take(1);
    for (let index = 0; index < 500; index++) make(`new-${index}`);
    const events = [first as Event, ...(await all.take(3_499))];
    expect(new Set(events.map(({ object }) => object.metadata.name as string)).size).toBe(3_500);
  });

  test('with a selector tell of what comes and goes by it', async () => {
    await start();
    make('a', { on: 'yes' });
    make('b');
    const chosen = await watch('labelSelector=on%3Dyes');
    expect(told(await chosen.take(1))).toEqual(['ADDED a']);
    label('b', { on: 'yes' });
    label('a', { on: 'yes', more: 'x' });
    label('a', { on: 'no' });
    make('c');
    cluster.storage.delete('configmaps', 'default', 'c');
    cluster.storage.delete('configmaps', 'default', 'b');
    const events = await chosen.take(4);
    expect(told(events)).toEqual(['ADDED b', 'MODIFIED a', 'DELETED a', 'DELETED b']);
    // The last state that matched, at the version at which it ceased to.
    expect(events[2]?.object.metadata).toMatchObject({ labels: { on: 'yes', more: 'x' } });
    expect(Number(events[2]?.object.metadata.resourceVersion)).toBeGreaterThan(Number(events[1]?.object.metadata.resourceVersion));
  });

  test('from a version with a selector see the past as it was', async () => {
    await start();
    make('a', { on: 'yes' });
    const since = cluster.storage.resourceVersion;
    label('a', { on: 'no' });
    label('a', { on: 'yes' });
    expect(told(await (await watch(`resourceVersion=${since}&labelSelector=on%3Dyes`)).take(2))).toEqual(['DELETED a', 'ADDED a']);
  });

  test('of one namespace tell nothing of others, and of one object nothing else', async () => {
    await start();
    cluster.storage.create('namespaces', { metadata: { name: 'other' } });
    const here = await watch('');
    const one = await watch('fieldSelector=metadata.name%3Dtwo');
    const all = await watch('', '/api/v1/configmaps');
    cluster.storage.create('configmaps', { metadata: { name: 'one', namespace: 'other' } });
    make('two');
    expect(told(await all.take(2))).toEqual(['ADDED one', 'ADDED two']);
    expect(told(await here.take(1))).toEqual(['ADDED two']);
    expect(told(await one.take(1))).toEqual(['ADDED two']);
  });

  test('end at their time, with a bookmark where that is wanted', async () => {
    await start();
    make('a');
    const timed = await watch(`resourceVersion=${cluster.storage.resourceVersion}&timeoutSeconds=3&allowWatchBookmarks=true`);
    make('b');
    const [event, bookmark, ...more] = await timed.rest();
    expect(told([event as Event])).toEqual(['ADDED b']);
    expect(more).toEqual([]);
    expect(bookmark).toMatchObject({
      type: 'BOOKMARK',
      object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { resourceVersion: event?.object.metadata.resourceVersion } },
    });
    expect(told(await (await watch(`resourceVersion=${cluster.storage.resourceVersion}&timeoutSeconds=1`)).rest())).toEqual([]);
  });

  test('have bookmarks that go on with the whole store, though nothing of theirs happens', async () => {
    await start(20);
    const marked = await watch('resourceVersion=1&allowWatchBookmarks=true');
    const [before] = await marked.take(1);
    cluster.storage.create('secrets', { metadata: { name: 'x', namespace: 'default' } });
    const { resourceVersion } = cluster.storage;
    let last = Number(before?.object.metadata.resourceVersion);
    while (last < resourceVersion) {
      const [next] = await marked.take(1);
      expect(next?.type).toBe('BOOKMARK');
      last = Number(next?.object.metadata.resourceVersion);
    }
    expect(last).toBe(resourceVersion);
  });

  test('from a version that is forgotten are told so', async () => {
    await start();
    make('a');
    make('b');
    cluster.storage.compact();
    make('c');
    expect(await (await watch('resourceVersion=1')).rest()).toMatchObject([
      { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } },
    ]);
  });

  test('may begin as a list does, and say when that is over', async () => {
    await start();
    make('a');
    make('b');
    const listed = await watch('sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true');
    const events = await listed.take(3);
    expect(told(events)).toEqual(['ADDED a', 'ADDED b', 'BOOKMARK']);
    expect(events[2]?.object.metadata).toMatchObject({
      annotations: { 'k8s.io/initial-events-end': 'true' },
      resourceVersion: String(cluster.storage.resourceVersion),
    });
    make('c');
    expect(told(await listed.take(1))).toEqual(['ADDED c']);
  });

  test('are of tables or metadata where that is asked for', async () => {
    await start();
    make('a');
    const table = await watch('', path, 'application/json;as=Table;g=meta.k8s.io;v=v1');
    const [first] = await table.take(1);
    expect(first).toMatchObject({ type: 'ADDED', object: { kind: 'Table', rows: [{ cells: ['a', 0, expect.any(String)] }] } });
    expect(first?.object.columnDefinitions).toHaveLength(3);
    make('b');
    expect((await table.take(1))[0]?.object).toMatchObject({ columnDefinitions: null, rows: [{ cells: ['b', 0, expect.any(String)] }] });
    const slim = await watch('', path, 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1');
    expect((await slim.take(1))[0]?.object).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'a' } });
  });

  test('that nobody reads any more are closed', async () => {
    await start();
    const left = await watch('');
    const stays = await watch('');
    make('a');
    await Promise.all([left.take(1), stays.take(1)]);
    expect(cluster.server.watches).toBe(2);
    left.close();
    while (cluster.server.watches > 1) await new Promise((resolve) => setImmediate(resolve));
    make('b');
    expect(told(await stays.take(1))).toEqual(['ADDED b']);
  });
});
