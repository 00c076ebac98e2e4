import { namespaceObject, object, podObject, worldUsers, type Answer, type Ask, type OpenAsk, type User } from './world.js';

type Value = Readonly<Record<string, any>>;

const usersWith = (changed: User): readonly User[] => [...worldUsers.filter(({ id }) => id !== changed.id), changed];

const codesOf = ({ errors = [] }: Answer): string[] =>
  errors.map(({ path, extensions }) => `${path?.join('.') ?? ''} ${String(extensions?.['code'])}`);

const whoSees = `{
  pods(first: 100) { totalCount nodes { name namespaceName } }
  workloads(first: 100) { totalCount nodes { name namespaceName } }
}`;

/** Names of pods, with their namespaces, as one viewer lists them; the total must be theirs too. */
async function podsOf(ask: Ask, viewer: string, filter = '', clusters?: readonly string[]): Promise<string[]> {
  const { data } = await ask.query(
    viewer,
    `query { pods(first: 100 ${filter === '' ? '' : `, filter: {${filter}}`}) { totalCount nodes { name namespaceName clusterName } } }`,
  );
  const pods = data?.['pods'] as Value | null | undefined;
  const found = ((pods?.['nodes'] ?? []) as readonly Value[]).map(({ namespaceName, name }) => `${String(namespaceName)}/${String(name)}`);
  expect(pods?.['totalCount']).toBe(found.length);
  expect(clusters).toBeUndefined();
  return found.sort();
}

const podsOfA1 = ['a1/db-0', 'a1/web-1-x'];
const podsOfA = [...podsOfA1, 'a2/lone'];
const podsOfB = ['b1/db-0', 'b1/web-1-x', 'b2/far'];

async function idOfPod(ask: Ask, cluster: string, namespace: string, name: string): Promise<string> {
  const { data } = await ask.query(
    'cloud-admin',
    'query ($cluster: String!, $namespace: String!, $name: String!) { pod(cluster: $cluster, namespace: $namespace, name: $name) { id } }',
    { cluster, namespace, name },
  );
  return String((data?.['pod'] as Value)['id']);
}

/** What a stream tells, one text for each change, until there are `count` of them. */
class Changes {
  readonly #stream: AsyncGenerator<Answer, void, undefined>;
  cursor = '';

  constructor(ask: Ask, viewer: string, text = podChanges, variables?: Record<string, unknown>) {
    this.#stream = ask.subscribe(viewer, text, variables);
  }

  async take(count: number): Promise<string[]> {
    const texts: string[] = [];
    while (texts.length < count) {
      const { value, done } = await this.#stream.next();
      if (done === true) throw new Error(`The stream has ended after ${texts.join(', ') || 'nothing'}.`);
      texts.push(this.#textOf(value));
    }
    return texts;
  }

  /** What comes first, and that nothing does after it. */
  async end(): Promise<string[]> {
    const texts: string[] = [];
    for await (const answer of this.#stream) texts.push(this.#textOf(answer));
    return texts;
  }

  async close(): Promise<void> {
    await this.#stream.return();
  }

  #textOf(answer: Answer): string {
    const [change] = Object.values(answer.data ?? {}) as (Value | null)[];
    if (change == null) return codesOf(answer).join(', ');
    this.cursor = String(change['cursor']);
    const { object: carried, type, id } = change;
    const codes = codesOf(answer).map((text) => ` (${text})`);
    return `${String(type)}${carried == null ? (id == null ? '' : ` ${nameIn(String(id))}`) : ` ${String(carried['name'])}`}${codes.join('')}`;
  }
}

/** Of an id nothing may be assumed; but to tell here which one it is, its text may be searched. */
function nameIn(id: string): string {
  const text = Buffer.from(id, 'base64url').toString('utf8');
  return ['web-1-x', 'db-0', 'lone', 'far', 'fresh', 'node-1'].find((name) => text.includes(name)) ?? 'unknown';
}

const podChanges = `subscription ($after: String, $filter: PodFilter) {
  podChanges(after: $after, filter: $filter) { type cursor id: podId object: pod { name namespaceName } unavailableClusters { clusterName } }
}`;
const nodeChanges = `subscription { nodeChanges(cluster: "east") { type cursor id: nodeId object: node { name } } }`;

/** That nothing of one tenant reaches another, whatever happens to namespaces, roles and caches. */
export function describeLeaks(name: string, open: OpenAsk): void {
  describe(`what tenants learn of each other by ${name}`, () => {
    let ask: Ask;
    const streams: Changes[] = [];
    beforeEach(async () => {
      ask = await open();
    });
    afterEach(async () => {
      for (const stream of streams.splice(0)) await stream.close();
      await ask.close();
    });

    function follow(viewer: string, text?: string, variables?: Record<string, unknown>): Changes {
      const stream = new Changes(ask, viewer, text, variables);
      streams.push(stream);
      return stream;
    }

    it('a namespace that changes its project takes everything in it along, in lists, relations and by id', async () => {
      const id = await idOfPod(ask, 'east', 'a1', 'db-0');
      const byId = async (viewer: string): Promise<unknown> => (await ask.query(viewer, `{ node(id: "${id}") { id } }`)).data?.['node'];
      expect(await podsOf(ask, 'user')).toEqual(podsOfA);
      expect(await byId('user')).toEqual({ id });
      expect(await byId('admin-of-other')).toBeNull();

      await ask.put('east', namespaceObject('a1', 'p-b'));
      expect(await podsOf(ask, 'user')).toEqual(['a2/lone']);
      expect(await podsOf(ask, 'admin-of-other')).toEqual([...podsOfA1, ...podsOfB].sort());
      expect(await byId('user')).toBeNull();
      expect(await byId('admin-of-other')).toEqual({ id });
      const { data, errors } = await ask.query(
        'project-admin',
        '{ namespaces { totalCount nodes { name } } namespace(cluster: "east", name: "a1") { name } }',
      );
      expect(data).toEqual({ namespaces: { totalCount: 1, nodes: [{ name: 'a2' }] }, namespace: null });
      expect(errors).toBeUndefined();
      expect((await ask.query('user', '{ project(id: "p-a") { namespaceNames { name } pods { totalCount } } }')).data).toEqual({
        project: { namespaceNames: [{ name: 'a2' }], pods: { totalCount: 1 } },
      });

      await ask.put('east', namespaceObject('a1', undefined));
      for (const viewer of ['user', 'project-admin', 'admin-of-other']) expect(await byId(viewer)).toBeNull();
      expect(await byId('cloud-admin')).toEqual({ id });
    });

    it('a namespace that is deleted and made again for another project gives nobody what was in it before', async () => {
      const id = await idOfPod(ask, 'east', 'a1', 'db-0');
      await ask.remove('east', 'Namespace', undefined, 'a1');
      expect(await podsOf(ask, 'user')).toEqual(['a2/lone']);
      // The pods of the first are still there when the second comes: a store learns of both by different watches.
      await ask.put('east', namespaceObject('a1', 'p-b', { uid: 'namespace-again', creationTimestamp: '2026-02-01T00:00:00Z' }));
      for (const viewer of ['user', 'project-admin', 'admin-of-other', 'user-here-admin-there']) {
        const { data } = await ask.query(viewer, `{ node(id: "${id}") { id } pod(cluster: "east", namespace: "a1", name: "db-0") { id } }`);
        expect(data).toEqual({ node: null, pod: null });
      }
      expect(await podsOf(ask, 'admin-of-other')).toEqual(podsOfB);
      expect(await podsOf(ask, 'admin-of-other', 'namespaces: ["a1"]')).toEqual([]);
      const inNamespace = '{ namespace(cluster: "east", name: "a1") { pods { totalCount } workloads { totalCount } } }';
      expect((await ask.query('admin-of-other', inNamespace)).data).toEqual({
        namespace: { pods: { totalCount: 0 }, workloads: { totalCount: 0 } },
      });

      await ask.put('east', podObject('fresh', 'a1', undefined, { creationTimestamp: '2026-02-01T00:01:00Z' }));
      expect(await podsOf(ask, 'admin-of-other')).toEqual(['a1/fresh', ...podsOfB]);
      expect(await podsOf(ask, 'user')).toEqual(['a2/lone']);
    });

    it('an owner in another tenant’s namespace is not shown, whatever uid an owner reference names', async () => {
      const stranger = object('apps/v1', 'StatefulSet', 'db', 'b1');
      await ask.put('east', podObject('fresh', 'a1', stranger));
      const { data } = await ask.query('user', '{ pod(cluster: "east", namespace: "a1", name: "fresh") { workload { name } } }');
      expect(data).toEqual({ pod: { workload: null } });
      const ofOther = await ask.query(
        'admin-of-other',
        '{ workloads(filter: { kinds: [STATEFUL_SET] }) { nodes { pods { nodes { name namespaceName } } } } }',
      );
      expect(JSON.stringify(ofOther)).not.toContain('fresh');
    });

    it('filters match nothing of others, and cannot be told from filters that name what does not exist', async () => {
      const filters = [
        ['projects: ["p-b"]', 'projects: ["p-none"]'],
        ['namespaces: ["b1"]', 'namespaces: ["none"]'],
        ['namespaces: ["free"]', 'namespaces: ["none"]'],
        ['clusters: ["west"]', 'clusters: ["none"]'],
        ['search: "far"', 'search: "nothing-has-this-name"'],
        ['labelSelector: "app=far"', 'labelSelector: "app=nothing"'],
        [`workload: "${await idOfWorkload('b1', 'db')}"`, 'workload: "none"'],
      ] as const;
      for (const [ofOthers, ofNobody] of filters) {
        const ask1 = (filter: string): Promise<Answer> =>
          ask.query(
            'user',
            `{ pods(filter: {${filter}}) { totalCount nodes { name } pageInfo { hasNextPage hasPreviousPage endCursor } } }`,
          );
        const one = await ask1(ofOthers);
        expect(one).toEqual({
          data: { pods: { totalCount: 0, nodes: [], pageInfo: { hasNextPage: false, hasPreviousPage: false, endCursor: null } } },
        });
        if (ofNobody !== 'workload: "none"') expect(await ask1(ofNobody)).toEqual(one);
      }
    });

    async function idOfWorkload(namespace: string, workload: string): Promise<string> {
      const { data } = await ask.query(
        'cloud-admin',
        `{ resource(cluster: "east", kind: STATEFUL_SET, namespace: "${namespace}", name: "${workload}") { id } }`,
      );
      return String((data?.['resource'] as Value)['id']);
    }

    it('totals and pages count what is the viewer’s, in every order and at every place', async () => {
      const total = async (viewer: string, text: string): Promise<unknown> => (await ask.query(viewer, text)).data;
      expect(await total('user', '{ pods(first: 1) { totalCount } workloads(first: 1) { totalCount } }')).toEqual({
        pods: { totalCount: 3 },
        workloads: { totalCount: 5 },
      });
      expect(await total('outsider', '{ projects { totalCount nodes { id } } }')).toEqual({ projects: { totalCount: 0, nodes: [] } });
      for (const field of ['NAME', 'NAMESPACE', 'NODE', 'PHASE', 'RESTARTS', 'CREATED_AT']) {
        for (const direction of ['ASC', 'DESC']) {
          let after: string | null = null;
          const found: string[] = [];
          do {
            const { data } = await ask.query(
              'user',
              `query ($after: String) { pods(first: 1, after: $after, orderBy: { field: ${field}, direction: ${direction} }) {
                nodes { name namespaceName } pageInfo { hasNextPage endCursor } } }`,
              { after },
            );
            const page = data?.['pods'] as Value;
            found.push(...(page['nodes'] as readonly Value[]).map((pod) => `${String(pod['namespaceName'])}/${String(pod['name'])}`));
            after = page['pageInfo']['hasNextPage'] === true ? String(page['pageInfo']['endCursor']) : null;
          } while (after !== null);
          expect(found.sort()).toEqual(podsOfA);
        }
      }
    });

    it('clusters that are none of the viewer’s are not named when they fail', async () => {
      await ask.setUnavailable('west', '2026-03-01T00:00:00Z');
      const named = async (viewer: string): Promise<unknown> => {
        const { data } = await ask.query(viewer, '{ pods { unavailableClusters { clusterName message staleSince } } }');
        return ((data?.['pods'] as Value)['unavailableClusters'] as readonly Value[]).map(({ clusterName }) => String(clusterName));
      };
      expect(await named('user')).toEqual([]);
      expect(await named('project-admin')).toEqual([]);
      expect(await named('admin-of-other')).toEqual(['west']);
      expect(await named('cloud-admin')).toEqual(['west']);
      const { data } = await ask.query(
        'user',
        '{ projects { unavailableClusters { clusterName } nodes { pods { unavailableClusters { clusterName } } clusterNames } } }',
      );
      expect(JSON.stringify(data)).not.toContain('west');
      const stream = follow('user');
      expect(await stream.take(4)).toEqual(['ADDED db-0', 'ADDED web-1-x', 'ADDED lone', 'SYNCED']);
    });

    it('errors say the same of what is another’s and of what does not exist, and name neither objects nor projects', async () => {
      const read = async (viewer: string, namespace: string, pod: string): Promise<Answer> =>
        ask.query(viewer, `{ pod(cluster: "east", namespace: "${namespace}", name: "${pod}") { name } }`);
      for (const viewer of ['user', 'project-admin', 'reader']) {
        expect(await read(viewer, 'b1', 'db-0')).toEqual(await read(viewer, 'a1', 'none'));
        expect(await read(viewer, 'free', 'db-0')).toEqual({ data: { pod: null } });
      }
      const refused = await ask.query(
        'user-here-admin-there',
        '{ pods { nodes { name namespace { name } node { name } } } namespace(cluster: "east", name: "a1") { name } clusters { name } }',
      );
      expect(refused.errors?.length).toBeGreaterThan(3);
      for (const { message, extensions } of refused.errors ?? []) {
        expect(extensions?.['code']).toBe('FORBIDDEN');
        expect(message).toMatch(/^The role held here does not have the function [A-Z_]+\.$/);
      }
      // Whoever holds the function nowhere learns nothing from it either.
      const [one, other] = await Promise.all(
        ['a1', 'none'].map((namespace) => ask.query('user', `{ namespace(cluster: "east", name: "${namespace}") { name } }`)),
      );
      const withoutId = (answer: Answer | undefined): unknown => answer?.errors?.map(({ message, path }) => ({ message, path }));
      expect(withoutId(one)).toEqual(withoutId(other));
    });

    it('who administers one project and uses another administers nothing in the other', async () => {
      const { data, errors } = await ask.query(
        'user-here-admin-there',
        `{
          namespaces { nodes { name } }
          here: project(id: "p-a") { namespaces { totalCount } namespaceNames { name } pods { totalCount } }
          there: project(id: "p-b") { namespaces { totalCount } }
          viewer { role here: can(function: NAMESPACE_VIEW, project: "p-a") there: can(function: NAMESPACE_VIEW, project: "p-b") anywhere: can(function: NAMESPACE_VIEW) }
        }`,
      );
      expect(data).toEqual({
        namespaces: { nodes: [{ name: 'b1' }, { name: 'b2' }] },
        here: { namespaces: null, namespaceNames: [{ name: 'a1' }, { name: 'a2' }], pods: { totalCount: 3 } },
        there: { namespaces: { totalCount: 2 } },
        viewer: { role: 'PROJECT_ADMIN', here: false, there: true, anywhere: true },
      });
      expect(errors?.map(({ path }) => path?.join('.'))).toEqual(['here.namespaces']);
    });

    it('what an administrator’s queries have warmed answers no other viewer', async () => {
      const text = `query ($after: String) {
        pods(first: 2, after: $after, orderBy: { field: RESTARTS, direction: DESC }) { totalCount nodes { name namespaceName yaml node { name } } pageInfo { endCursor } }
        workloads(orderBy: { field: NAME, direction: ASC }) { totalCount nodes { namespaceName pods { totalCount } } }
        projects { nodes { id } }
        clusters { name }
      }`;
      const cold = await open();
      try {
        for (let run = 0; run < 6; run++) await ask.query('cloud-admin', text);
        for (const viewer of ['user', 'reader', 'outsider', 'admin-of-other', 'user-here-admin-there']) {
          const [warm, fresh] = [await ask.query(viewer, text), await cold.query(viewer, text)];
          expect({ viewer, data: warm.data, errors: codesOf(warm).sort() }).toEqual({
            viewer,
            data: fresh.data,
            errors: codesOf(fresh).sort(),
          });
        }
      } finally {
        await cold.close();
      }
    });

    it('an administrator’s cursor leads another viewer to their own objects only', async () => {
      const text =
        'query ($after: String) { pods(first: 3, after: $after) { totalCount nodes { name namespaceName } pageInfo { hasPreviousPage endCursor } } }';
      const first = (await ask.query('cloud-admin', text)).data?.['pods'] as Value;
      const after = String(first['pageInfo']['endCursor']);
      const { data, errors } = await ask.query('admin-of-other', text, { after });
      expect(errors).toBeUndefined();
      expect(data).toEqual({
        pods: {
          totalCount: 3,
          nodes: ['b1/db-0', 'b1/web-1-x', 'b2/far'].map((key) => ({ namespaceName: key.split('/')[0], name: key.split('/')[1] })),
          // Whether anything of others stands before it must not show.
          pageInfo: { hasPreviousPage: false, endCursor: expect.any(String) as string },
        },
      });
      expect(((await ask.query('user', text, { after })).data?.['pods'] as Value)['totalCount']).toBe(3);
    });

    it('an administrator’s stream is resumed by nobody else: it begins anew, with the viewer’s own', async () => {
      const ofAdministrator = follow('cloud-admin');
      const all = await ofAdministrator.take(9);
      expect(all.at(-1)).toBe('SYNCED');
      const stream = follow('user', undefined, { after: ofAdministrator.cursor });
      expect(await stream.take(5)).toEqual(['RESET', 'ADDED db-0', 'ADDED web-1-x', 'ADDED lone', 'SYNCED']);
    });

    it('a stream tells of a role that is lost and gained as it happens', async () => {
      const stream = follow('admin-here-user-there');
      const begin = await stream.take(7);
      expect(begin.at(-1)).toBe('SYNCED');
      await ask.setUsers(usersWith({ id: 'admin-here-user-there', roles: { 'p-b': 'USER' } }));
      expect((await stream.take(3)).sort()).toEqual(['DELETED db-0', 'DELETED lone', 'DELETED web-1-x']);
      await ask.put('east', podObject('fresh', 'a1'));
      await ask.put('east', podObject('fresh', 'b1'));
      expect(await stream.take(1)).toEqual(['ADDED fresh']);
      await ask.setUsers(usersWith({ id: 'admin-here-user-there', roles: { 'p-a': 'READER', 'p-b': 'USER' } }));
      expect((await stream.take(4)).sort()).toEqual(['ADDED db-0', 'ADDED fresh', 'ADDED lone', 'ADDED web-1-x']);
    });

    it('a stream ends with FORBIDDEN when the function is held in none of its projects any more, and the sign-in stays', async () => {
      const [stream, ofOneProject] = [
        follow('user-here-admin-there'),
        follow('user-here-admin-there', undefined, { filter: { projects: ['p-a'] } }),
      ];
      await stream.take(7);
      expect(await ofOneProject.take(4)).toEqual(['ADDED db-0', 'ADDED web-1-x', 'ADDED lone', 'SYNCED']);
      await ask.setUsers(usersWith({ id: 'user-here-admin-there', roles: { 'p-b': 'USER' } }));
      expect(await ofOneProject.end()).toEqual([expect.stringMatching(/FORBIDDEN$/)]);
      expect((await stream.take(3)).sort()).toEqual(['DELETED db-0', 'DELETED lone', 'DELETED web-1-x']);
      await ask.setUsers(usersWith({ id: 'user-here-admin-there' }));
      const last = await stream.end();
      expect(last.at(-1)).toMatch(/FORBIDDEN$/);
      expect(last.filter((text) => text.startsWith('ADDED'))).toEqual([]);
      expect((await ask.query('user-here-admin-there', '{ viewer { name } }')).data).toEqual({ viewer: { name: 'user-here-admin-there' } });
    });

    it('a stream of nodes is for cloud administrators, for as long as they are ones', async () => {
      const stream = follow('cloud-admin', nodeChanges);
      expect(await stream.take(2)).toEqual(['ADDED node-1', 'SYNCED']);
      await ask.setUsers(usersWith({ id: 'cloud-admin', roles: { 'p-a': 'PROJECT_ADMIN' } }));
      expect(await stream.end()).toEqual([expect.stringMatching(/FORBIDDEN$/)]);
      expect(await follow('project-admin', nodeChanges).end()).toEqual(['nodeChanges FORBIDDEN']);
    });

    it('a stream follows namespaces that change hands, for both sides', async () => {
      const [loses, gains] = [follow('user'), follow('admin-of-other')];
      await loses.take(4);
      await gains.take(4);
      await ask.put('east', namespaceObject('a1', 'p-b'));
      expect((await loses.take(2)).sort()).toEqual(['DELETED db-0', 'DELETED web-1-x']);
      expect((await gains.take(2)).sort()).toEqual(['ADDED db-0', 'ADDED web-1-x']);
      await ask.put('east', podObject('fresh', 'a1'));
      expect(await gains.take(1)).toEqual(['ADDED fresh']);
      await ask.remove('east', 'Pod', 'a2', 'lone');
      expect(await loses.take(1)).toEqual(['DELETED lone']);
    });

    it('nobody is told of anything with the words of another', async () => {
      const secret = 'only-in-b1';
      await ask.put(
        'east',
        object('v1', 'Pod', secret, 'b1', {
          spec: { containers: [{ name: secret, image: `${secret}:1` }] },
          status: { phase: 'Pending', message: secret },
        }),
      );
      const everything =
        '{ viewer { memberships { project { name } } } projects { nodes { name namespaceNames { name } } } pods { nodes { yaml name status } } workloads { nodes { name images } } namespaces { nodes { name yaml } } clusters { name } }';
      for (const { id } of worldUsers.filter(({ roles = {}, cloudAdmin }) => cloudAdmin !== true && roles['p-b'] === undefined)) {
        const text = JSON.stringify(await ask.query(id, everything));
        expect(text).not.toContain(secret);
        expect(text).not.toMatch(/"b1"|"b2"|p-b|beta|"free"/);
      }
      expect(JSON.stringify(await ask.query('admin-of-other', everything))).toContain(secret);
      expect(whoSees).toContain('totalCount');
    });
  });
}
