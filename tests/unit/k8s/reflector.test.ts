import type { ServerResponse } from 'node:http';
import { ClusterConnection } from '../../../src/k8s/connection.js';
import type { Dial, Endpoint } from '../../../src/k8s/kubeconfig.js';
import { Reflector, type SyncState } from '../../../src/k8s/reflector.js';
import type { Item, Sink } from '../../../src/k8s/sink.js';
import { bookmark, FakeKube, json, lineOf, listOf, pod, statusOf, until, type Answer, type Asked } from '../../support/fake-kube.js';

const kind = { name: 'Pod', apiVersion: 'v1', plural: 'pods' };

/** Writes down what it is told. */
class Notes implements Sink {
  readonly lines: string[] = [];
  onListed: () => void = () => undefined;
  onEvent: () => void = () => undefined;

  startList(): void {
    this.lines.push('start');
  }
  listed(item: Item): void {
    this.lines.push(`listed ${item.object.metadata.name}`);
    this.onListed();
  }
  endList(resourceVersion: string): void {
    this.lines.push(`end ${resourceVersion}`);
  }
  event(type: string, { object }: Item): void {
    this.lines.push(`${type} ${object.metadata.name} ${object.metadata.resourceVersion}`);
    this.onEvent();
  }
  bookmark(resourceVersion: string): void {
    this.lines.push(`bookmark ${resourceVersion}`);
  }
}

/** Answers lists and watches from two queues; what is beyond them is an empty list, or a watch that says nothing. */
class Script {
  readonly lists: Answer[] = [];
  readonly watches: Answer[] = [];
  readonly quiet: ServerResponse[] = [];

  readonly answer: Answer = (asked, response, request) => {
    const isWatch = asked.query.get('watch') === 'true';
    const next = (isWatch ? this.watches : this.lists).shift();
    if (next !== undefined) next(asked, response, request);
    else if (isWatch) {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      this.quiet.push(response);
    } else json(listOf([], { version: 1_000 }))(asked, response, request);
  };
}

/** A watch that tells these lines, and then ends, stays open, or breaks. */
const watching =
  (lines: readonly string[], then: 'end' | 'stay' | 'cut' = 'stay'): Answer =>
  (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    for (const line of lines) response.write(line);
    if (then === 'end') response.end();
    else if (then === 'cut') setTimeout(() => response.destroy(), 20);
  };

interface Running {
  readonly script: Script;
  readonly kube: FakeKube;
  readonly notes: Notes;
  readonly reflector: Reflector;
  readonly states: SyncState[];
  readonly logged: { readonly level: string; readonly message: string; readonly fields: object }[];
  watches(): readonly Asked[];
  lists(): readonly Asked[];
}

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const endpointOf = (url: string): Endpoint => ({
  server: url,
  proxy: undefined,
  tlsServerName: undefined,
  unsafeSkipTlsVerify: false,
  dial: (): Promise<Dial> => Promise.resolve({ ca: undefined, certificate: undefined, key: undefined, headers: {} }),
});

async function run(prepare: (script: Script, notes: Notes) => void, { watchSilenceMs = 30_000, url = '' } = {}): Promise<Running> {
  const script = new Script();
  const notes = new Notes();
  prepare(script, notes);
  const kube = await FakeKube.start(script.answer);
  const connection = new ClusterConnection(endpointOf(url || kube.url));
  const states: SyncState[] = [];
  const logged: { level: string; message: string; fields: object }[] = [];
  const write = (level: string) => (fields: object, message: string) => void logged.push({ level, message, fields });
  const reflector: Reflector = new Reflector({
    connection,
    kind,
    sink: notes,
    watchSilenceMs,
    log: { fields: { cluster: 'east' }, to: { info: write('info'), warn: write('warn'), error: write('error') } },
    now: Date.now,
    onChange: () => states.push(reflector.state),
  });
  reflector.start();
  stops.push(
    () => kube.close(),
    () => connection.close(),
    () => reflector.close(),
  );
  const isWatch = ({ query }: Asked): boolean => query.get('watch') === 'true';
  return {
    script,
    kube,
    notes,
    reflector,
    states,
    logged,
    watches: () => kube.asked.filter(isWatch),
    lists: () => kube.asked.filter((asked) => !isWatch(asked)),
  };
}

describe('A first list', () => {
  test('comes in pages of 500, and the watch begins at its version, with bookmarks and an end', async () => {
    const { notes, lists, watches } = await run(({ lists }) => {
      lists.push(json(listOf([pod('a', 1), pod('b', 2)], { version: 10, next: 'more', remaining: 1 })));
      lists.push(json(listOf([pod('c', 3)], { version: 10 })));
    });
    await until(() => watches().length === 1);
    expect(notes.lines).toEqual(['start', 'listed a', 'listed b', 'listed c', 'end 10']);
    expect(lists().map(({ path, query }) => `${path}?${query.toString()}`)).toEqual([
      '/api/v1/pods?limit=500',
      '/api/v1/pods?limit=500&continue=more',
    ]);
    const query = watches()[0]!.query;
    expect([query.get('resourceVersion'), query.get('allowWatchBookmarks')]).toEqual(['10', 'true']);
    expect(Number(query.get('timeoutSeconds'))).toBeGreaterThanOrEqual(24);
    expect(Number(query.get('timeoutSeconds'))).toBeLessThanOrEqual(30);
  });

  test('may come whole from a server that ignores the limit', async () => {
    const many = Array.from({ length: 1_200 }, (_, index) => pod(`pod-${index}`, index + 1));
    const { notes, reflector, watches } = await run(({ lists }) => lists.push(json(listOf(many, { version: 2_000 }))));
    await until(() => watches().length === 1);
    expect(notes.lines).toHaveLength(1_202);
    expect(reflector.state).toMatchObject({ synced: true, listed: 1_200, total: 1_200, staleSinceMs: undefined, failure: undefined });
  });

  test('tells how far it is while it runs', async () => {
    let finish: () => void = () => undefined;
    const { reflector, lists: asked } = await run(({ lists }) => {
      lists.push(json(listOf([pod('a', 1), pod('b', 2)], { version: 10, next: 'more', remaining: 1 })));
      lists.push((...args) => (finish = () => json(listOf([pod('c', 3)], { version: 10 }))(...args)));
    });
    await until(() => asked().length === 2);
    expect(reflector.state).toMatchObject({ synced: false, listed: 2, total: 3, failure: undefined });
    finish();
    await until(() => reflector.state.synced);
    expect(reflector.state).toMatchObject({ listed: 3, total: 3 });
  });

  test('that expires between its pages begins again without pages, and has not failed', async () => {
    const { notes, lists, states, reflector } = await run(({ lists }) => {
      lists.push(json(listOf([pod('a', 1)], { version: 10, next: 'old' })));
      lists.push(json(statusOf(410, 'Expired'), 410));
      lists.push(json(listOf([pod('a', 1), pod('b', 12)], { version: 20 })));
    });
    await until(() => reflector.state.synced);
    expect(notes.lines).toEqual(['start', 'listed a', 'start', 'listed a', 'listed b', 'end 20']);
    expect(lists()[2]!.query.get('limit')).toBeNull();
    expect(states.every(({ failure }) => failure === undefined)).toBe(true);
  });

  test('asks again for a page that breaks off, and for that page only', async () => {
    const whole = listOf([pod('b', 2), pod('c', 3)], { version: 10 });
    const { notes, lists, reflector } = await run(({ lists }) => {
      lists.push(json(listOf([pod('a', 1)], { version: 10, next: 'more', remaining: 2 })));
      lists.push((_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.write(whole.slice(0, whole.indexOf('uid-c')));
        setTimeout(() => response.destroy(), 30);
      });
      lists.push(json(whole));
    });
    await until(() => reflector.state.synced);
    expect(notes.lines).toEqual(['start', 'listed a', 'listed b', 'listed b', 'listed c', 'end 10']);
    expect(lists().map(({ query }) => query.get('continue'))).toEqual([null, 'more', 'more']);
    expect(reflector.state).toMatchObject({ listed: 3, total: 3 });
  });

  test.each([
    ['a web page', '<html>Please sign in</html>', 'text/html'],
    ['an object that is no list', '{"kind":"Status","metadata":{}}', 'application/json'],
    ['a list that is cut off', listOf([pod('a', 1)], { version: 10 }).slice(0, -5), 'application/json'],
  ])('that is %s is a failure, and no empty list', async (_, body, type) => {
    const bad: Answer = (_asked, response) => void response.writeHead(200, { 'content-type': type }).end(body);
    const { notes, reflector } = await run(({ lists }) => lists.push(bad, bad, bad));
    await until(() => reflector.state.failure !== undefined);
    expect(reflector.state.failure).toMatchObject({ code: 'UNAVAILABLE', message: 'The cluster sent something that is no list.' });
    expect(notes.lines.some((line) => line.startsWith('end'))).toBe(false);
    await until(() => reflector.state.synced);
    expect(notes.lines.at(-1)).toBe('end 1000');
  });

  test('that is forbidden is a failure that says so, and is tried again', async () => {
    const { reflector, states } = await run(({ lists }) => lists.push(json(statusOf(403, 'Forbidden', 'gateway@10.0.0.1 may not'), 403)));
    await until(() => reflector.state.synced);
    expect(states[0]).toMatchObject({ synced: false, failure: { code: 'FORBIDDEN', message: 'The cluster does not allow this.' } });
    expect(reflector.state.failure).toBeUndefined();
  });

  test('fails at once where nothing answers, and comes through when something does', async () => {
    const spare = await FakeKube.start(() => undefined);
    await spare.close();
    const { reflector, script } = await run(() => undefined, { url: spare.url });
    await until(() => reflector.state.failure !== undefined);
    expect(reflector.state).toMatchObject({ synced: false, failure: { code: 'UNAVAILABLE', message: 'The cluster cannot be reached.' } });
    const revived = await FakeKube.start(script.answer, { port: Number(new URL(spare.url).port) });
    stops.unshift(() => revived.close());
    reflector.retryNow();
    await until(() => reflector.state.synced);
  });

  test('leaves out objects that cannot be used, and says how many', async () => {
    const { notes, logged, reflector } = await run(({ lists }) =>
      lists.push(json(`{"metadata":{"resourceVersion":"10"},"items":[{"metadata":{"name":"x"}},${JSON.stringify(pod('a', 1))}]}`)),
    );
    await until(() => reflector.state.synced);
    expect(notes.lines).toEqual(['start', 'listed a', 'end 10']);
    expect(logged).toContainEqual({ level: 'warn', message: 'objects of a list cannot be used', fields: { cluster: 'east', skipped: 1 } });
  });
});

describe('A watch', () => {
  test('tells what happens in order, and is opened again where it stood when the server ends it', async () => {
    const { notes, watches, states } = await run(({ lists, watches }) => {
      lists.push(json(listOf([pod('a', 1)], { version: 10 })));
      watches.push(
        watching([lineOf('ADDED', pod('b', 11)), lineOf('MODIFIED', pod('b', 12)), lineOf('DELETED', pod('a', 13))], 'end'),
        watching([lineOf('ADDED', pod('c', 14))]),
      );
    });
    await until(() => notes.lines.includes('ADDED c 14'));
    expect(notes.lines).toEqual(['start', 'listed a', 'end 10', 'ADDED b 11', 'MODIFIED b 12', 'DELETED a 13', 'ADDED c 14']);
    expect(watches().map(({ query }) => query.get('resourceVersion'))).toEqual(['10', '13']);
    expect(states).toHaveLength(1);
  });

  test('goes on from its last bookmark', async () => {
    const { notes, watches } = await run(({ lists, watches }) => {
      lists.push(json(listOf([], { version: 10 })));
      watches.push(watching([bookmark(99)], 'end'));
    });
    await until(() => watches().length === 2);
    expect(notes.lines).toEqual(['start', 'end 10', 'bookmark 99']);
    expect(watches()[1]!.query.get('resourceVersion')).toBe('99');
  });

  test('that breaks is opened again where it stood, and the cluster is not stale by that', async () => {
    const { notes, watches, states, lists } = await run(({ lists, watches }) => {
      lists.push(json(listOf([], { version: 10 })));
      watches.push(
        watching([lineOf('ADDED', pod('a', 11)), '{"type":"MODIFIED","obj'], 'cut'),
        watching([lineOf('MODIFIED', pod('a', 12))]),
      );
    });
    await until(() => notes.lines.includes('MODIFIED a 12'));
    expect(watches().map(({ query }) => query.get('resourceVersion'))).toEqual(['10', '11']);
    expect(lists()).toHaveLength(1);
    expect(states).toHaveLength(1);
  });

  test('that is silent for too long is opened again where it stood', async () => {
    const { watches, states, script } = await run(({ lists }) => lists.push(json(listOf([], { version: 10 }))), { watchSilenceMs: 200 });
    await until(() => watches().length === 3);
    expect(watches().map(({ query }) => query.get('resourceVersion'))).toEqual(['10', '10', '10']);
    expect(states).toHaveLength(1);
    await until(() => script.quiet[0]!.closed);
  });

  test('that is no longer possible is followed by a list, and the kind is stale until that is whole', async () => {
    let finish: () => void = () => undefined;
    const { notes, reflector, states, watches, lists } = await run(({ lists, watches }) => {
      lists.push(json(listOf([pod('a', 1)], { version: 10 })));
      lists.push((...args) => (finish = () => json(listOf([pod('b', 50)], { version: 60 }))(...args)));
      watches.push(json(statusOf(410, 'Expired'), 410));
    });
    await until(() => lists().length === 2);
    expect(reflector.state).toMatchObject({ synced: true, staleSinceMs: expect.any(Number), failure: undefined });
    finish();
    await until(() => watches().length === 2);
    expect(notes.lines).toEqual(['start', 'listed a', 'end 10', 'start', 'listed b', 'end 60']);
    expect(watches()[1]!.query.get('resourceVersion')).toBe('60');
    expect(states.map(({ staleSinceMs }) => staleSinceMs === undefined)).toEqual([true, false, true]);
  });

  test('that tells of its expiry in an event is followed by a list', async () => {
    const { notes, states } = await run(({ lists, watches }) => {
      lists.push(json(listOf([], { version: 10 })), json(listOf([pod('b', 50)], { version: 60 })));
      watches.push(watching([lineOf('ADDED', pod('a', 11)), lineOf('ERROR', statusOf(410, 'Expired'))], 'stay'));
    });
    await until(() => notes.lines.includes('end 60'));
    expect(notes.lines).toEqual(['start', 'end 10', 'ADDED a 11', 'start', 'listed b', 'end 60']);
    expect(states.every(({ failure }) => failure === undefined)).toBe(true);
  });

  test('that tells of another error is opened again where it stood', async () => {
    const { watches, states, lists, reflector } = await run(({ lists, watches }) => {
      lists.push(json(listOf([], { version: 10 })));
      watches.push(watching([lineOf('ADDED', pod('a', 11)), lineOf('ERROR', statusOf(500, 'InternalError'))], 'stay'));
    });
    await until(() => watches().length === 2 && reflector.state.failure === undefined);
    expect(watches()[1]!.query.get('resourceVersion')).toBe('11');
    expect(lists()).toHaveLength(1);
    expect(states.some(({ failure }) => failure?.message === 'The cluster failed to answer.')).toBe(true);
  });

  test.each(['{"type":"MODIFIED","object":{"metadata"', 'garbage', '{"type":"SURPRISE","object":{}}'])(
    'that tells %s is opened again where it stood',
    async (line) => {
      const { watches, lists, notes } = await run(({ lists, watches }) => {
        lists.push(json(listOf([], { version: 10 })));
        watches.push(watching([lineOf('ADDED', pod('a', 11)), `${line}\n`, lineOf('ADDED', pod('lost', 12))]));
        watches.push(watching([lineOf('ADDED', pod('b', 12))]));
      });
      await until(() => notes.lines.includes('ADDED b 12'));
      expect(notes.lines).toEqual(['start', 'end 10', 'ADDED a 11', 'ADDED b 12']);
      expect(watches()[1]!.query.get('resourceVersion')).toBe('11');
      expect(lists()).toHaveLength(1);
    },
  );

  test('that tells the same garbage twice is followed by a list', async () => {
    const { lists, notes } = await run(({ lists, watches }) => {
      lists.push(json(listOf([], { version: 10 })), json(listOf([pod('a', 15)], { version: 20 })));
      watches.push(watching(['garbage\n']), watching(['garbage\n']));
    });
    await until(() => notes.lines.includes('end 20'));
    expect(lists()).toHaveLength(2);
    expect(notes.lines).toEqual(['start', 'end 10', 'start', 'listed a', 'end 20']);
  });

  test('is not taken back by an event that comes late', async () => {
    const { watches } = await run(({ lists, watches }) => {
      lists.push(json(listOf([], { version: 9 })));
      watches.push(watching([lineOf('ADDED', pod('a', 100)), lineOf('MODIFIED', pod('b', 99))], 'end'));
    });
    await until(() => watches().length === 2);
    expect(watches()[1]!.query.get('resourceVersion')).toBe('100');
  });

  test('whose server went back in time is followed by a list', async () => {
    const { notes } = await run(({ lists, watches }) => {
      lists.push(json(listOf([pod('a', 90)], { version: 100 })), json(listOf([], { version: 7 })));
      watches.push(watching([bookmark(7)]));
    });
    await until(() => notes.lines.includes('end 7'));
    expect(notes.lines).toEqual(['start', 'listed a', 'end 100', 'start', 'end 7']);
  });

  test('that cannot be opened makes the kind stale since it was last heard of, and it waits as long as the server asks', async () => {
    const before = Date.now();
    const { watches, states, reflector } = await run(({ lists, watches }) => {
      lists.push(json(listOf([], { version: 10 })));
      watches.push(json(statusOf(429, 'TooManyRequests'), 429, { 'retry-after': '1' }));
    });
    await until(() => reflector.state.failure !== undefined);
    const refusedAt = performance.now();
    expect(reflector.state).toMatchObject({ synced: true, failure: { code: 'RATE_LIMITED' } });
    expect(reflector.state.staleSinceMs).toBeGreaterThanOrEqual(before);
    await until(() => watches().length === 2);
    expect(performance.now() - refusedAt).toBeGreaterThan(900);
    await until(() => reflector.state.failure === undefined);
    expect(states.at(-1)).toMatchObject({ synced: true, staleSinceMs: undefined });
  });

  test('leaves a server alone that asks for quiet until another century', async () => {
    const { kube, reflector } = await run(({ lists }) => {
      const busy = json(statusOf(429, 'TooManyRequests'), 429, { 'retry-after': 'Thu, 31 Dec 2099 00:00:00 GMT' });
      lists.push(...Array.from({ length: 50 }, () => busy));
    });
    await until(() => reflector.state.failure !== undefined);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(kube.asked).toHaveLength(1);
  });

  test('that ends as soon as it is open is not opened in a tight loop', async () => {
    const { watches } = await run(({ lists, watches }) => {
      lists.push(json(listOf([], { version: 10 })));
      watches.push(...Array.from({ length: 200 }, () => watching([], 'end')));
    });
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(watches().length).toBeGreaterThan(1);
    expect(watches().length).toBeLessThan(8);
  });
});

test('A sink that throws gets everything again', async () => {
  const { notes, logged } = await run(({ lists, watches }, notes) => {
    lists.push(json(listOf([], { version: 10 })), json(listOf([pod('a', 11)], { version: 12 })));
    watches.push(watching([lineOf('ADDED', pod('a', 11))]));
    notes.onEvent = () => {
      throw new Error('a defect');
    };
  });
  await until(() => notes.lines.includes('end 12'));
  expect(notes.lines).toEqual(['start', 'end 10', 'ADDED a 11', 'start', 'listed a', 'end 12']);
  expect(logged.some(({ level, message }) => level === 'error' && message === 'reading a cluster failed')).toBe(true);
});

test.each(['list', 'watch'] as const)('Closing ends a %s that is under way, and asks for nothing more', async (what) => {
  const { reflector, kube, script } = await run((script) => {
    if (what !== 'list') return;
    script.lists.push((_, response) => {
      response.writeHead(200).flushHeaders();
      script.quiet.push(response);
    });
  });
  await until(() => script.quiet.length === 1);
  const asked = kube.asked.length;
  await reflector.close();
  await until(() => script.quiet[0]!.closed);
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(kube.asked).toHaveLength(asked);
});
