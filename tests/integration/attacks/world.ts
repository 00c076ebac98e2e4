import { watchedKinds } from '../../../src/domain/kinds/index.js';
import { kindNamed } from '../../support/in-process.js';
import { MemoryRegistry } from '../../support/memory-registry.js';
import { TestGateway, type TestGatewayOptions } from '../../support/gateway.js';
import type { Draft } from '../../support/objects.js';

/** Two tenants on one cluster: alice administers `p-a`, which has the namespace `a1`; bob uses `p-b`, which has `b1`. */
export const users = [
  { id: 'alice', roles: { 'p-a': 'PROJECT_ADMIN' } },
  { id: 'reader', roles: { 'p-a': 'READER' } },
  { id: 'bob', roles: { 'p-b': 'USER' } },
] as const;

export const projects = [
  { id: 'p-a', name: 'A' },
  { id: 'p-b', name: 'B' },
];

export interface WorldOptions {
  /** In each of the two namespaces, spread over ten deployments. */
  readonly pods: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotation?: string;
}

export function objectsOf({ pods, labels = {}, annotation = '' }: WorldOptions): readonly Draft[] {
  const controller = (kind: string, uid: string) => [{ apiVersion: 'apps/v1', kind, name: uid, uid, controller: true }];
  return [['a1', 'p-a'] as const, ['b1', 'p-b'] as const].flatMap(([namespace, project]): Draft[] => [
    { kind: 'Namespace', metadata: { name: namespace, labels: { 'openstack.org/project-id': project } } },
    ...numbers(10).flatMap((index): Draft[] => [
      { kind: 'Deployment', metadata: { name: `d-${index}`, namespace, uid: `deployment-${namespace}-${index}` } },
      {
        kind: 'ReplicaSet',
        metadata: {
          name: `rs-${index}`,
          namespace,
          uid: `set-${namespace}-${index}`,
          ownerReferences: controller('Deployment', `deployment-${namespace}-${index}`),
        },
      },
    ]),
    ...numbers(pods).map((index): Draft => ({
      kind: 'Pod',
      metadata: {
        name: `pod-${index}`,
        namespace,
        uid: `pod-${namespace}-${index}`,
        labels: { app: `app-${index % 10}`, ...labels },
        annotations: { note: annotation },
        ownerReferences: controller('ReplicaSet', `set-${namespace}-${index % 10}`),
      },
      spec: { nodeName: 'node-1', containers: [{ name: 'main', image: 'nginx:1' }] },
      status: { phase: 'Running' },
    })),
  ]);
}

export function startWorld(world: WorldOptions, config?: TestGatewayOptions['config']): Promise<TestGateway> {
  return TestGateway.start({ objects: { east: objectsOf(world) }, users, projects, ...(config === undefined ? {} : { config }) });
}

/** The same, and a cluster `north` in which the projects of alice and bob have no place. */
export async function startWorldWithNorth(
  world: WorldOptions,
): Promise<{ readonly gateway: TestGateway; readonly clusters: MemoryRegistry }> {
  const clusters = new MemoryRegistry([{ name: 'east' }, { name: 'north', projects: ['p-other'] }], watchedKinds);
  for (const draft of objectsOf(world)) clusters.cluster('east').put(kindNamed(String(draft['kind'])), draft);
  return { gateway: await TestGateway.start({ clusters, users, projects }), clusters };
}

export const podChanges =
  'subscription ($filter: PodFilter, $after: String) { podChanges(filter: $filter, after: $after) { type cursor podId } }';

export interface PodChange {
  readonly type: string;
  readonly cursor: string;
  readonly podId: string | null;
}

/** What a stream of one's own tells, SYNCED last. */
export async function changesUntilSynced(
  gateway: TestGateway,
  user: string,
  variables: Readonly<Record<string, unknown>>,
): Promise<readonly PodChange[]> {
  const socket = await gateway.as(user).socket();
  try {
    const stream = socket.subscribe(podChanges, { variables });
    for (const found: PodChange[] = []; ;) {
      const { data } = await stream.answer();
      const change = data.podChanges as PodChange;
      found.push(change);
      if (change.type === 'SYNCED') return found;
    }
  } finally {
    await socket.close();
  }
}

export const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

export const times = (count: number, text: (index: number) => string): string => numbers(count).map(text).join(' ');
