import { defaultIsolationPatterns } from '../../../src/domain/isolation.js';
import { encodeClusterId, encodeId } from '../../../src/domain/ids.js';
import { watchedKinds } from '../../../src/domain/kinds/index.js';
import { StoreReader } from '../../../src/k8s/store-reader.js';
import { buildGatewaySchema } from '../../../src/resolvers/schema.js';
import type { Random } from '../../../src/sandbox/random.js';
import { ContextFactory } from '../../../src/server/context.js';
import { Engines } from '../../support/engines.js';
import { kindNamed } from '../../support/in-process.js';
import { MemoryRegistry } from '../../support/memory-registry.js';
import { projectLabel } from '../../support/objects.js';
import { QueryGenerator } from '../../support/query-generator.js';
import { accessWith, cloudAdminAccess, TestSession } from '../../support/viewers.js';
import { worldClusters, worldObjects, worldProjects } from '../permission/world.js';

const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
const nowMs = Date.parse('2026-02-01T00:00:00Z');
const schema = buildGatewaySchema();
const clusters = new MemoryRegistry(worldClusters, watchedKinds);
const names = new Set(['nobody', 'node-1']);
const ids = ['no-id', 'p-a', 'p-b', encodeClusterId('east')];
for (const [clusterName, objects] of Object.entries(worldObjects())) {
  for (const { metadata, kind } of objects) {
    names.add(metadata.name);
    const { name, namespace, uid } = metadata;
    ids.push(encodeId({ clusterName, kind, namespaceName: namespace, name, uid }));
  }
  for (const object of objects) clusters.cluster(clusterName).put(kindNamed(object.kind), object);
}
const contexts = new ContextFactory({
  reader: new StoreReader(clusters.sources, { projectLabel }),
  clusters,
  projects: { get: (id) => projects.find((project) => project.id === id), all: () => projects },
  isolationPatterns: defaultIsolationPatterns,
  budget: { maxObjects: 20_000 },
  now: () => nowMs,
});
const projects = worldProjects.map(({ id, name, department }) => ({ id, name, department }));

/** What leads somewhere more often than chance would. */
function valueFor(name: string, typeName: string, random: Random): unknown {
  if (name === 'id' || typeName === 'ID') return random.pick(ids);
  if (name === 'cluster' || name === 'clusters' || name === 'clusterName') return random.pick(['east', 'west', 'north']);
  if (name === 'namespace' || name === 'namespaces') return random.pick(['a1', 'a2', 'b1', 'b2', 'free', 'none']);
  if (name === 'first') return random.integer(0, 4);
  if (name === 'after' || name === 'before') return random.pick(['', 'no-cursor']);
  if (name === 'labelSelector') return random.pick(['app=web', 'app in (web, db)', 'app in (']);
  if (name === 'name' || name === 'names') return random.pick([...names]);
  return undefined;
}

it.each([
  ['a cloud administrator', cloudAdminAccess()],
  ['who administers one project and uses another', accessWith({ 'p-a': 'PROJECT_ADMIN', 'p-b': 'USER' })],
  ['a user', accessWith({ 'p-b': 'USER' })],
])(`answers %s alike by both engines, whatever is asked (TEST_SEED=${seed})`, async (_who, access) => {
  const session = new TestSession(access);
  const engines = new Engines(schema, () => contexts.create(session, 'r', new AbortController().signal));
  const generator = new QueryGenerator(schema, seed, { maxDepth: 5, maxFields: 25, valueFor });
  let valid = 0;
  let fruitful = 0;
  for (let i = 0; i < 150; i++) {
    const { query, variables } = generator.next();
    const document = engines.documentOf(query);
    if (document === undefined) continue;
    valid += 1;
    const { interpreted, compiled } = await engines.both(document, variables);
    expect({ query, variables, ...compiled }).toEqual({ query, variables, ...interpreted });
    if (interpreted.data !== undefined && interpreted.data !== null) fruitful += 1;
  }
  expect(valid).toBeGreaterThan(60);
  expect(fruitful).toBeGreaterThan(40);
  expect(engines.compiled).toBeGreaterThan(40);
});
