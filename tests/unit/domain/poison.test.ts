import type { Kind } from '../../../src/k8s/kind.js';
import type { KubernetesObject, ObjectRecord } from '../../../src/k8s/objects.js';
import { StoreReader } from '../../../src/k8s/store-reader.js';
import { namespaces } from '../../../src/k8s/namespaces.js';
import { watchedKinds } from '../../../src/domain/kinds/index.js';
import { pods } from '../../../src/domain/kinds/pods.js';
import { annotationsOf, finalizersOf, labelsOf, yamlOf } from '../../../src/domain/kinds/resource-record.js';
import { CronJobRecord, workloadKinds } from '../../../src/domain/kinds/workloads.js';
import { MemoryCluster, projectLabel, toItem, type Draft } from '../../support/objects.js';
import { objectOf, recordOf, seededRandom } from './records.js';

const reader = new StoreReader([new MemoryCluster('east', watchedKinds)], { projectLabel });

/**
 * Reads everything that a record has, its indexes and what it takes from its neighbours too.
 * @param withYaml Which takes ten times as long as all the rest.
 */
function readAll(kind: Kind, record: ObjectRecord, withYaml: boolean): Record<string, unknown> {
  const read: Record<string, unknown> = { ...record };
  for (let type: unknown = Object.getPrototypeOf(record); type !== Object.prototype && type !== null; type = Object.getPrototypeOf(type)) {
    for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(type))) {
      if (get !== undefined && (withYaml || name !== 'yaml')) read[name] = (record as unknown as Record<string, unknown>)[name];
    }
  }
  for (const [name, index] of Object.entries(kind.indexes ?? {})) read[`index ${name}`] = index(record);
  read['signature'] = kind.neighbours?.signature(record, reader);
  read['texts'] = [labelsOf(record), annotationsOf(record), finalizersOf(record), withYaml ? yamlOf(record) : ''];
  if (record instanceof CronJobRecord) read['next'] = record.nextScheduledAt(Date.parse('2026-03-01T00:00:00Z'));
  // What an answer would be made of.
  JSON.stringify(read);
  return read;
}

/** An object that says as much as one of its kind can. */
function fullDraft(kind: Kind): Draft {
  const resources = { requests: { cpu: '1', memory: '1Gi' }, limits: { 'nvidia.com/gpu': '1' } };
  const probe = { httpGet: { path: '/', port: 80 }, periodSeconds: 5 };
  const container = {
    name: 'app',
    image: 'shop:2',
    resources,
    env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
    envFrom: [{ configMapRef: { name: 'c' } }],
    ports: [{ containerPort: 80 }],
    volumeMounts: [{ name: 'v', mountPath: '/v' }],
    livenessProbe: probe,
    securityContext: { capabilities: { add: ['X'] } },
  };
  const expressions = [{ key: 'zone', operator: 'In', values: ['a'] }];
  const podSpec = {
    runtimeClassName: 'kata',
    nodeName: 'n1',
    containers: [container],
    initContainers: [{ ...container, name: 'side', restartPolicy: 'Always' }],
    volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }],
    tolerations: [{ key: 'a', operator: 'Exists' }],
    hostAliases: [{ ip: '192.0.2.1', hostnames: ['h'] }],
    imagePullSecrets: [{ name: 'r' }],
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: expressions, matchFields: expressions }],
        },
      },
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { labelSelector: { matchExpressions: expressions }, topologyKey: 'kubernetes.io/hostname' },
        ],
      },
    },
    overhead: { cpu: '250m' },
    resources,
  };
  const template = { metadata: { labels: { app: 'web' }, annotations: { a: 'b' } }, spec: podSpec };
  const status = {
    phase: 'Running',
    startTime: '2026-01-01T00:00:00Z',
    podIPs: [{ ip: '10.0.0.1' }],
    observedGeneration: 1,
    replicas: 1,
    desiredNumberScheduled: 1,
    active: 1,
    conditions: [{ type: 'Ready', status: 'True', reason: 'R', message: 'M', lastTransitionTime: '2026-01-01T00:00:00Z' }],
    initContainerStatuses: [
      { name: 'side', started: true, ready: true, restartCount: 1, state: { running: {} }, resources, allocatedResources: { cpu: '2' } },
    ],
    containerStatuses: [
      { name: 'app', ready: true, restartCount: 1, state: { running: {} }, lastState: { terminated: { exitCode: 1 } }, resources },
    ],
    addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
    nodeInfo: { architecture: 'amd64', kernelVersion: '6.8' },
    capacity: { cpu: '1', pods: '110' },
    allocatable: { cpu: '1' },
    runtimeHandlers: [{ name: 'kata' }],
  };
  const workload = {
    replicas: 1,
    selector: { matchLabels: { app: 'web' } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%' } },
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } },
    ordinals: { start: 0 },
    volumeClaimTemplates: [
      { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
    ],
    template,
  };
  const timetable = { schedule: '0 3 * * *', timeZone: 'Asia/Shanghai', jobTemplate: { spec: { template } } };
  const specs: Readonly<Record<string, object>> = {
    Pod: podSpec,
    Deployment: workload,
    StatefulSet: workload,
    DaemonSet: workload,
    Job: workload,
    CronJob: timetable,
    Node: { taints: [{ key: 'a', effect: 'NoSchedule' }], providerID: 'openstack:///1', unschedulable: true },
  };
  return {
    metadata: {
      generation: 1,
      labels: { app: 'web' },
      annotations: { note: 'x' },
      finalizers: ['example.com/f'],
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'uid-r', controller: true }],
    },
    spec: specs[kind.name] ?? {},
    status,
    handler: 'kata',
    overhead: { podFixed: { cpu: '1' } },
  };
}

const kinds = watchedKinds.map((kind) => [kind.name, kind] as const);
const wrong: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  2 ** 53,
  1e308,
  '',
  'x',
  '\0',
  '\ud800',
  'a'.repeat(1_000),
  [],
  [null],
  [[]],
  [1, 'x', {}],
  {},
  { x: null },
  { constructor: 1, __proto__: null, toString: 'x' },
];

/** Every place in an object, as a path of keys. */
function* pathsOf(value: unknown, path: readonly string[] = []): Generator<readonly string[]> {
  if (path.length > 0) yield path;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) yield* pathsOf(inner, [...path, key]);
}

/** A copy with another value at one place; left out where the value is undefined. */
function withValue(object: KubernetesObject, path: readonly string[], value: unknown): KubernetesObject {
  const copy = structuredClone(object);
  let place = copy as unknown as Record<string, unknown>;
  for (const key of path.slice(0, -1)) place = place[key] as Record<string, unknown>;
  const last = path.at(-1) ?? '';
  if (value === undefined) delete place[last];
  else place[last] = value;
  // As it would come: without holes in lists.
  return JSON.parse(JSON.stringify(copy)) as KubernetesObject;
}

describe.each(kinds)('a record of %s', (_, kind) => {
  const full = objectOf(kind, fullDraft(kind));
  // Items are only let in with a metadata that is what it is said to be.
  const places = [...pathsOf(full)].filter(
    ([first, second]) => first !== 'metadata' || ['generation', 'finalizers'].includes(second ?? ''),
  );
  const read = (object: KubernetesObject, withYaml = false): Record<string, unknown> =>
    readAll(kind, kind.record({ clusterName: 'east', ...toItem(object) }), withYaml);

  it('of an object that says everything is read', () => {
    expect(read(full, true)).toMatchObject({ name: 'web', uid: 'uid-1' });
  });

  it('of an object with nothing but its metadata is read', () => {
    expect(read(objectOf(kind), true)).toMatchObject({ name: 'web', uid: 'uid-1' });
  });

  /** What was wrong where a record could not be read. */
  const failures = (objects: Iterable<readonly [string, KubernetesObject]>): string[] => {
    const found: string[] = [];
    for (const [what, object] of objects) {
      try {
        read(object);
      } catch (error) {
        found.push(`${what}: ${String(error)}`);
      }
    }
    return found;
  };

  it('is read whatever is missing', () => {
    expect(failures(places.map((path) => [path.join('.'), withValue(full, path, undefined)]))).toEqual([]);
  });

  it('is read whatever is of another type', () => {
    const random = seededRandom(5);
    const anywhere = places.flatMap((path) =>
      [1, 2].map(() => {
        const value = wrong[Math.floor(random() * wrong.length)];
        return [`${path.join('.')} = ${JSON.stringify(value)}`, withValue(full, path, value)] as const;
      }),
    );
    const atTop = ['spec', 'status', 'handler', 'overhead'].flatMap((field) =>
      wrong.map((value) => [`${field} = ${JSON.stringify(value)}`, { ...full, [field]: value }] as const),
    );
    expect(failures([...anywhere, ...atTop])).toEqual([]);
  });

  it('keeps nothing of the parsed object but its labels', () => {
    const { object, json } = toItem(full);
    const parts = new Set<unknown>();
    const collect = (value: unknown): void => {
      if (typeof value !== 'object' || value === null || parts.has(value)) return;
      parts.add(value);
      Object.values(value).forEach(collect);
    };
    collect(object);
    parts.delete(object.metadata.labels);
    const record = kind.record({ clusterName: 'east', object, json });
    const kept: string[] = [];
    const seen = new Set<unknown>();
    const look = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null || seen.has(value)) return;
      seen.add(value);
      if (parts.has(value)) kept.push(path);
      for (const [key, inner] of Object.entries(value)) look(inner, `${path}.${key}`);
    };
    look({ ...record }, 'record');
    expect(kept).toEqual([]);
  });
});

describe('a record', () => {
  it('of an object with a thousand owners has the one that is its controller', () => {
    const owner = (at: number): object => ({
      apiVersion: 'v1',
      kind: at === 700 ? 'ReplicaSet' : 'Thing',
      name: `o${at}`,
      uid: `uid-${at}`,
      controller: at === 700,
    });
    const pod = recordOf(pods, { metadata: { ownerReferences: Array.from({ length: 1_000 }, (_, at) => owner(at)) as never } });
    expect([pod.controllerUid, pod.controllerKind]).toEqual(['uid-700', 'ReplicaSet']);
  });

  it('with 256 KB of labels and annotations is read whole', () => {
    const many = Object.fromEntries(
      Array.from({ length: 2_048 }, (_, at) => [`example.com/k${String(at).padStart(5, '0')}`, 'v'.repeat(100)]),
    );
    for (const [, kind] of kinds) {
      const record = recordOf(kind, { metadata: { labels: many, annotations: many } });
      expect([labelsOf(record).length, annotationsOf(record).length, labelsOf(record)[2_047]?.key]).toEqual([
        2_048,
        2_048,
        'example.com/k02047',
      ]);
    }
  });

  it('with labels of names that every object has is read like any other', () => {
    const labels = JSON.parse('{"constructor":"a","toString":"b","__proto__":"c","hasOwnProperty":"d"}') as Record<string, string>;
    const record = recordOf(pods, { metadata: { labels } });
    expect(record.labels).toEqual(['__proto__', 'constructor', 'hasOwnProperty', 'toString'].map((key) => ({ key, value: labels[key] })));
  });

  it('does not keep long texts of one object for others', () => {
    const image = `registry.example.com/${'x'.repeat(100_000)}`;
    const spec = { containers: Array.from({ length: 10 }, (_, at) => ({ image: `${image}${at}` })) };
    const [one, other] = [recordOf(pods, { spec }), recordOf(pods, { spec })];
    expect(one.images).toEqual(other.images);
    expect(one.images).not.toBe(other.images);
    expect(recordOf(pods, { spec: { containers: [{ image: 'a' }] } }).images).toBe(
      recordOf(pods, { spec: { containers: [{ image: 'a' }] } }).images,
    );
  });

  it('of a pod is small, whatever the pod', () => {
    const draft = fullDraft(pods);
    const bulky = {
      ...draft,
      spec: {
        ...(draft['spec'] as object),
        volumes: Array.from({ length: 2_000 }, (_, at) => ({ name: `v${at}`, configMap: { name: `c${at}` } })),
      },
    };
    const own = Object.values({ ...recordOf(pods, bulky) });
    expect(JSON.stringify(own).length).toBeLessThan(1_000);
    expect(recordOf(pods, bulky).jsonBytes).toBeGreaterThan(50_000);
  });
});

describe('the YAML of an object', () => {
  const record = recordOf(pods, {
    metadata: {
      annotations: { note: 'on', 'kubectl.kubernetes.io/last-applied-configuration': '{"secret":"x"}' },
      ...({ managedFields: [{ manager: 'kubectl' }] } as object),
    },
    spec: { containers: [{ name: 'app', args: ['12:30', '1_000', 'yes', 'plain'] }] },
  });

  it('has its keys in order, and neither managed fields nor the copy that kubectl keeps', () => {
    expect(record.yaml).toBe(
      [
        'apiVersion: v1',
        'kind: Pod',
        'metadata:',
        '  annotations:',
        '    note: "on"',
        '  creationTimestamp: "2026-01-01T00:00:00Z"',
        '  name: web',
        '  namespace: shop',
        '  resourceVersion: "1"',
        '  uid: uid-1',
        'spec:',
        '  containers:',
        '  - args:',
        '    - "12:30"',
        '    - "1_000"',
        '    - "yes"',
        '    - plain',
        '    name: app',
        '',
      ].join('\n'),
    );
  });

  it('has no annotations where kubectl kept the only one', () => {
    const only = recordOf(pods, { metadata: { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' } } });
    expect([only.yaml.includes('annotations'), only.annotations]).toEqual([false, []]);
  });

  it('leaves the object as it is', () => {
    expect(Object.keys(record.object.metadata.annotations ?? {})).toHaveLength(2);
  });
});

it('the gateway watches ten kinds, each under its own name', () => {
  expect(watchedKinds.map(({ name }) => name)).toEqual([
    'Node',
    'Namespace',
    'RuntimeClass',
    'ReplicaSet',
    'Pod',
    ...workloadKinds.map(({ name }) => name),
  ]);
  expect(watchedKinds).toContain(namespaces);
});
