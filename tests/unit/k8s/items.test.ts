import { PageError, readLines, readPage, type PageInfo, type WatchLine } from '../../../src/k8s/items.js';
import type { Item } from '../../../src/k8s/sink.js';
import { Turns } from '../../../src/k8s/turns.js';
import { watchLoop } from '../../support/loop.js';

const pods = { name: 'Pod', apiVersion: 'v1' };
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

const meta = (name: string, more: object = {}) => ({
  name,
  namespace: 'shop',
  uid: `uid-${name}`,
  resourceVersion: '7',
  creationTimestamp: '2026-01-01T00:00:00Z',
  ...more,
});

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function page(text: string | Uint8Array, size = 65_536): Promise<{ items: Item[]; info: PageInfo }> {
  const items: Item[] = [];
  const info = await readPage(inPieces(Buffer.from(text), size), pods, (item) => items.push(item));
  return { items, info };
}

async function lines(text: string, size = 65_536): Promise<WatchLine[]> {
  const found: WatchLine[] = [];
  await readLines(inPieces(Buffer.from(text), size), pods, (line) => {
    found.push(line);
    return true;
  });
  return found;
}

const list = (items: unknown, more: object = {}) => ({
  kind: 'PodList',
  apiVersion: 'v1',
  metadata: { resourceVersion: '42' },
  items,
  ...more,
});
const namesOf = (items: readonly Item[]) => items.map((item) => item.object.metadata.name);
const textOf = (item: Item | undefined) => Buffer.from(item?.json ?? []).toString('utf8');

const difficult = [
  { metadata: meta('plain'), spec: { nodeName: 'n1' } },
  { metadata: meta('brackets', { labels: { a: '}]{[",:\\' } }), spec: { text: '\\"}],{"name":"no"' } },
  {
    metadata: meta('umlauts', { annotations: { note: '华东一 é 🚀 \u0000\u2028 \ud800' } }),
    spec: { n: [1.5e-7, -0, true, null, [], {}] },
  },
  {
    metadata: meta('managed', {
      managedFields: [{ manager: 'kubectl', fieldsV1: { 'f:metadata': { 'f:annotations': { '.': {}, '{"': {} } } } }],
      annotations: { [lastApplied]: '{"managedFields":[{"a":1}]}', keep: 'me' },
    }),
    data: { managedFields: 'mine', [lastApplied]: 'mine too', metadata: { managedFields: [1] } },
  },
  { metadata: { managedFields: [], ...meta('first') } },
  { metadata: meta('only-applied', { annotations: { [lastApplied]: 'x' }, managedFields: [] }) },
  { metadata: meta('applied-last', { annotations: { a: 'b', [lastApplied]: 'x' } }) },
];

const stripped = (object: (typeof difficult)[number]) => {
  const copy = JSON.parse(JSON.stringify(object)) as { metadata: { managedFields?: unknown; annotations?: Record<string, string> } };
  delete copy.metadata.managedFields;
  delete copy.metadata.annotations?.[lastApplied];
  return { kind: 'Pod', apiVersion: 'v1', ...copy };
};

describe('A page of a list', () => {
  it.each([1, 2, 3, 7, 64, 100_000])('gives the same items in pieces of %i bytes', async (size) => {
    const { items, info } = await page(JSON.stringify(list(difficult)), size);
    expect(items.map((item) => item.object)).toEqual(difficult.map(stripped));
    expect(items.map((item) => JSON.parse(textOf(item)) as unknown)).toEqual(difficult.map(stripped));
    expect(info).toEqual({ resourceVersion: '42', continue: undefined, remainingItemCount: undefined, skipped: 0 });
  });

  it.each([1, 5, 100_000])('may be printed with blanks, in pieces of %i bytes', async (size) => {
    const { items } = await page(JSON.stringify(list(difficult), null, '\t').replace(/([^\\]"):/g, '$1 :\r\n'), size);
    expect(items.map((item) => JSON.parse(textOf(item)) as unknown)).toEqual(difficult.map(stripped));
  });

  it('keeps bytes that are exactly as long as the stripped object', async () => {
    const { items } = await page(JSON.stringify(list(difficult)));
    for (const { json } of items) {
      expect(json.buffer.byteLength).toBe(json.byteLength);
      expect(textOf({ json } as Item)).not.toMatch(/fieldsV1/);
    }
    expect(textOf(items[0])).toBe(JSON.stringify({ kind: 'Pod', apiVersion: 'v1', ...difficult[0] }));
  });

  it('strips what is written with escapes', async () => {
    const text = JSON.stringify(list([{ metadata: meta('a', { managedFields: [{ x: 1 }], annotations: { [lastApplied]: 'secret' } }) }]))
      .replace('managedFields', 'managed\\u0046ields')
      .replace('last-applied', '\\u006cast-applied');
    const { items } = await page(text);
    expect(items[0]?.object).toEqual({ kind: 'Pod', apiVersion: 'v1', metadata: meta('a', { annotations: {} }) });
    expect(textOf(items[0])).not.toMatch(/secret|managed/);
  });

  it('leaves kind and version as the server writes them', async () => {
    const { items } = await page(
      JSON.stringify(
        list([
          { apiVersion: 'v2', kind: 'Other', metadata: meta('a') },
          { kind: 'Half', metadata: meta('b') },
        ]),
      ),
    );
    expect(items.map(({ object }) => [object.kind, object.apiVersion])).toEqual([
      ['Other', 'v2'],
      ['Half', 'v1'],
    ]);
    expect(textOf(items[0])).toMatch(/^\{"apiVersion":"v2"/);
  });

  it('may have its fields in any order and others beside them', async () => {
    const text = `{"items":[${JSON.stringify({ metadata: meta('a') })}],"unknown":{"items":[{"metadata":1}],"x":"items"},"metadata":{"continue":"to\\"ken","remainingItemCount":3,"resourceVersion":"9"},"z":[[1],{"metadata":{}}],"kind":"PodList"}`;
    for (const size of [1, 1000]) {
      const { items, info } = await page(text, size);
      expect(namesOf(items)).toEqual(['a']);
      expect(info).toEqual({ resourceVersion: '9', continue: 'to"ken', remainingItemCount: 3, skipped: 0 });
    }
  });

  it.each([
    ['null', null],
    ['empty', []],
  ])('may have items that are %s', async (_, items) => {
    const found = await page(JSON.stringify(list(items)));
    expect(found.items).toEqual([]);
    expect(found.info.resourceVersion).toBe('42');
  });

  it('counts items that cannot be used and goes on', async () => {
    const good = JSON.stringify({ metadata: meta('good') });
    const bad = [
      '{"metadata":{"name":"x","uid":nope}}',
      '{}',
      '{"metadata":null}',
      JSON.stringify({ metadata: { ...meta('x'), uid: undefined } }),
      JSON.stringify({ metadata: { ...meta('x'), name: 7 } }),
      JSON.stringify({ metadata: { ...meta('x'), labels: ['a'] } }),
      JSON.stringify({ metadata: { ...meta('x'), ownerReferences: 'a' } }),
      'null',
      '"text with ] and }"',
      '12',
    ];
    const text = `{"metadata":{"resourceVersion":"1"},"items":[${good},${bad.join(`,${good},`)}]}`;
    for (const size of [1, 1000]) {
      const { items, info } = await page(text, size);
      expect(namesOf(items)).toEqual(bad.map(() => 'good'));
      expect(info.skipped).toBe(bad.length);
    }
  });

  it('is refused wherever it is cut off', async () => {
    const text = JSON.stringify(list(difficult.slice(0, 3)));
    for (let end = 0; end < text.length; end += 3) await expect(page(text.slice(0, end))).rejects.toThrow(PageError);
  });

  it.each([
    ['a web page', '<html><body>Bad gateway</body></html>'],
    ['an array', '[{"metadata":{}}]'],
    ['an object without items', '{"kind":"Status","metadata":{"resourceVersion":"1"}}'],
    ['a list without a version', '{"items":[]}'],
    ['items that are an object', '{"metadata":{"resourceVersion":"1"},"items":{"a":1}}'],
    ['items that are text', '{"metadata":{"resourceVersion":"1"},"items":"none"}'],
    ['items that are arrays', '{"metadata":{"resourceVersion":"1"},"items":[[]]}'],
    ['metadata that is no JSON', '{"items":[],"metadata":{nope}}'],
    ['nothing', ''],
  ])('is refused when it is %s', async (_, text) => {
    await expect(page(text)).rejects.toThrow(PageError);
  });

  it('skips an item of more than 32 MB and reads what follows', async () => {
    const filler = Buffer.alloc(1 << 20, 'x');
    async function* chunks(): AsyncGenerator<Uint8Array> {
      await Promise.resolve();
      yield Buffer.from('{"metadata":{"resourceVersion":"1"},"items":[{"spec":"');
      for (let n = 0; n < 34; n += 1) yield filler;
      yield Buffer.from(`"},${JSON.stringify({ metadata: meta('after') })}]}`);
    }
    const items: Item[] = [];
    const info = await readPage(chunks(), pods, (item) => items.push(item));
    expect(namesOf(items)).toEqual(['after']);
    expect(info.skipped).toBe(1);
  });

  it('gives way to the event loop while a page of thousands of items is read', async () => {
    const item = {
      metadata: meta('many', { labels: { a: 'b'.repeat(500) } }),
      spec: { containers: Array.from({ length: 20 }, (_, n) => ({ name: `c${n}` })) },
    };
    const text = Buffer.from(JSON.stringify(list(Array.from({ length: 20_000 }, () => item))));
    let seen = 0;
    const { wholeMs, turns } = await watchLoop(() => readPage(inPieces(text, text.length), pods, () => (seen += 1)));
    expect(seen).toBe(20_000);
    expect(turns).toBeGreaterThan(wholeMs / 20);
  });
});

describe('Lines of a watch', () => {
  const event = (type: string, object: unknown) => `${JSON.stringify({ type, object })}\n`;

  it.each([1, 3, 50, 100_000])('are read in order, in pieces of %i bytes', async (size) => {
    const text =
      difficult.map((object) => event('ADDED', { kind: 'Pod', apiVersion: 'v1', ...object })).join('') +
      event('DELETED', { kind: 'Pod', apiVersion: 'v1', ...difficult[3] }) +
      '\n' +
      event('BOOKMARK', { kind: 'Pod', metadata: { resourceVersion: '99' } }) +
      event('ERROR', { kind: 'Status', code: 410, reason: 'Expired' });
    const found = await lines(text, size);
    expect(found.map(({ type }) => type)).toEqual([...difficult.map(() => 'ADDED'), 'DELETED', 'BOOKMARK', 'ERROR']);
    expect(found.flatMap((line) => ('item' in line ? [JSON.parse(textOf(line.item)) as unknown] : []))).toEqual(
      [...difficult, difficult[3]].map((object) => stripped(object as (typeof difficult)[number])),
    );
    expect(found.slice(-2)).toEqual([
      { type: 'BOOKMARK', resourceVersion: '99' },
      { type: 'ERROR', status: { kind: 'Status', code: 410, reason: 'Expired' } },
    ]);
  });

  it('may be written with blanks or the object first', async () => {
    const object = difficult[3];
    const found = await lines(
      `${JSON.stringify({ object, type: 'MODIFIED' })}\r\n { "type": "ADDED", "object": ${JSON.stringify(object)} } \n`,
    );
    expect(found.map(({ type }) => type)).toEqual(['MODIFIED', 'ADDED']);
    for (const line of found) expect('item' in line && line.item.object).toEqual(stripped(object as (typeof difficult)[number]));
  });

  it('are unusable when they are no event', async () => {
    const bad = [
      'not json',
      '{"type":"ADDED","object":{"metadata":{"name":"x"}}}',
      '{"type":"ADDED"}',
      '{"type":"WHAT","object":{}}',
      '{"type":"BOOKMARK","object":{}}',
      '{"type":"ADDED","object":{"metadata":{}}} trailing',
      '[]',
      'null',
      '{"type":"ADDED","object":{"metadata":',
    ];
    expect((await lines(`${bad.join('\n')}\n`)).map(({ type }) => type)).toEqual(bad.map(() => 'UNUSABLE'));
  });

  it('are not read when the last one is cut off', async () => {
    const whole = event('ADDED', { metadata: meta('a') });
    expect(await lines(whole + whole.trimEnd())).toHaveLength(1);
  });

  it('may be megabytes long, and are skipped beyond 32', async () => {
    const big = (megabytes: number) => event('ADDED', { metadata: meta('big'), data: 'x'.repeat(megabytes << 20) });
    const found = await lines(big(3) + big(33) + event('ADDED', { metadata: meta('after') }));
    expect(found.map((line) => ('item' in line ? line.item.object.metadata.name : line.type))).toEqual(['big', 'UNUSABLE', 'after']);
  });

  it('end when the reader has enough', async () => {
    let seen = 0;
    await readLines(inPieces(Buffer.from(event('ADDED', {}).repeat(5)), 10), pods, () => (seen += 1) < 2);
    expect(seen).toBe(2);
  });
});

describe('Turns', () => {
  it('let one piece of work run per turn of the loop, however many wait', async () => {
    const turns = new Turns(1);
    let loop = 0;
    const loopOf: number[] = [];
    let counting = true;
    const tick = (): void => {
      loop += 1;
      if (counting) setImmediate(tick);
    };
    setImmediate(tick);
    const work = async (): Promise<void> => {
      for (let step = 0; step < 3; step += 1) {
        if (turns.spent()) await turns.next();
        const until = performance.now() + 1.5;
        while (performance.now() < until);
        loopOf.push(loop);
      }
    };
    await Promise.all([work(), work(), work(), work()]);
    counting = false;
    const perTurn = new Map<number, number>();
    for (const turn of loopOf) perTurn.set(turn, (perTurn.get(turn) ?? 0) + 1);
    expect(loopOf).toHaveLength(12);
    expect(Math.max(...perTurn.values())).toBe(1);
  });
});
