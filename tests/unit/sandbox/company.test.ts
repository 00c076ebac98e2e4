import { people, projects, startCompany, type Company, type CompanyCluster } from '../../../src/sandbox/company/company.js';
import type { SandboxObject } from '../../../src/sandbox/storage.js';
import { SandboxServer } from '../../support/sandbox-server.js';

const openMs = Date.parse('2026-11-25T10:20:00Z');
const errors: unknown[] = [];

/** One whose time stands still once it is open. */
const start = (seed: number): Promise<Company> => startCompany({ now: () => openMs, seed, onError: (error) => errors.push(error) });

let company: Company;
beforeAll(async () => {
  company = await start(7);
}, 60_000);
afterAll(async () => {
  await company.close();
  expect(errors).toEqual([]);
});

const list = (resource: string, cluster?: string): SandboxObject[] =>
  company.clusters.filter(({ name }) => cluster === undefined || name === cluster).flatMap(({ sandbox }) => sandbox.storage.list(resource));
const find = (resource: string, cluster: string, key: string): SandboxObject => {
  const slash = key.indexOf('/');
  const { sandbox } = company.clusters.find(({ name }) => name === cluster)!;
  return sandbox.storage.get(resource, slash < 0 ? undefined : key.slice(0, slash), key.slice(slash + 1))!;
};
const podsOf = (cluster: string, key: string): SandboxObject[] => {
  const [namespace, name] = key.split('/');
  return list('pods', cluster).filter(
    ({ metadata }) => metadata.namespace === namespace && metadata.labels?.['app.kubernetes.io/name'] === name,
  );
};
const condition = (object: SandboxObject, type: string): Record<string, string> =>
  object.status.conditions.find((each: { type: string }) => each.type === type) ?? {};
const workloads = ['deployments.apps', 'statefulsets.apps', 'daemonsets.apps', 'jobs.batch', 'cronjobs.batch'];
const ageHours = ({ metadata }: SandboxObject): number => (openMs - Date.parse(metadata.creationTimestamp)) / 3_600_000;

describe('the company', () => {
  it('has two clusters, three departments and six projects', () => {
    expect(company.clusters.map(({ name, displayName }) => [name, displayName])).toEqual([
      ['east', '华东一'],
      ['north', '华北二'],
    ]);
    expect(projects.map(({ name }) => name)).toEqual(expect.arrayContaining(['网店']));
    expect(projects).toHaveLength(6);
    expect(new Set(projects.map(({ department }) => department.id)).size).toBe(3);
  });

  it('gives every project namespaces, and some namespaces to no project', () => {
    const owners = list('namespaces').map(({ metadata }) => metadata.labels?.['openstack.org/project-id']);
    expect(new Set(owners)).toEqual(new Set([undefined, ...projects.map(({ id }) => id)]));
    for (const name of ['kube-system', 'monitoring'])
      expect(find('namespaces', 'east', name).metadata.labels).not.toHaveProperty(['openstack.org/project-id']);
  });

  it('has somebody for each role, and one who administers a project and merely uses another', () => {
    const held = people.map(({ cloudAdmin, roles = {}, departments = {} }) => [
      ...(cloudAdmin === true ? ['CLOUD_ADMIN'] : []),
      ...Object.values(departments),
      ...Object.values(roles),
    ]);
    expect(held).toEqual(
      expect.arrayContaining([
        ['CLOUD_ADMIN'],
        ['DEPARTMENT_ADMIN'],
        ['PROJECT_ADMIN'],
        ['USER'],
        ['READER', 'READER'],
        ['PROJECT_ADMIN', 'USER'],
      ]),
    );
    const known = new Set([...projects.map(({ id }) => id), ...projects.map(({ department }) => department.id)]);
    for (const { roles = {}, departments = {} } of people)
      for (const id of [...Object.keys(roles), ...Object.keys(departments)]) expect(known).toContain(id);
  });

  it('runs on servers of many sorts', () => {
    for (const { name } of company.clusters) {
      const nodes = list('nodes', name);
      expect(nodes.length).toBeGreaterThanOrEqual(12);
      expect(nodes.length).toBeLessThanOrEqual(16);
      expect(nodes.filter(({ metadata }) => 'node-role.kubernetes.io/control-plane' in metadata.labels!)).toHaveLength(3);
    }
    const nodes = list('nodes');
    const ids = nodes.map(({ spec }) => spec.providerID as string);
    expect(new Set(ids).size).toBe(nodes.length);
    for (const id of ids) expect(id).toMatch(/^openstack:\/\/\/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const devices = nodes.flatMap(({ status }) => Object.keys(status.capacity as object).filter((key) => key.includes('/')));
    expect(new Set(devices)).toEqual(new Set(['nvidia.com/gpu', 'nvidia.com/gpu.shared', 'nvidia.com/pgpu', 'baidu.com/xpu']));
    expect(find('nodes', 'east', 'east-gpu-v100-1').metadata.labels).toMatchObject({
      'nvidia.com/gpu.product': 'Tesla-V100-SXM2-16GB',
      'nvidia.com/cuda.driver-version.full': '450.80.02',
    });
    expect(new Set(nodes.map(({ status }) => status.nodeInfo.architecture as string))).toEqual(new Set(['amd64', 'arm64']));
    for (const { metadata, status } of nodes) {
      const handlers = (status.runtimeHandlers as { name: string }[]).map(({ name }) => name);
      expect(handlers.includes('kata-qemu')).toBe(metadata.labels!['katacontainers.io/kata-runtime'] === 'true');
    }
  });

  it('has runtimes with their overhead, and one that nobody knows', () => {
    expect(find('runtimeclasses.node.k8s.io', 'east', 'kata-qemu')).toMatchObject({
      handler: 'kata-qemu',
      overhead: { podFixed: { cpu: '250m', memory: '320Mi' } },
    });
    expect(podsOf('east', 'shop-prod/mysql-order')[0]!.spec.overhead).toEqual({ cpu: '250m', memory: '320Mi' });
    expect(find('runtimeclasses.node.k8s.io', 'north', 'gvisor').handler).toBe('runsc');
  });

  it('runs workloads of all five kinds, secure and standard', () => {
    const counts = workloads.map((resource) => list(resource).length);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(10);
    const total = counts.reduce((sum, count) => sum + count, 0);
    expect(total).toBeGreaterThanOrEqual(60);
    const pods = list('pods');
    expect(pods.length).toBeGreaterThanOrEqual(300);
    expect(pods.length).toBeLessThanOrEqual(600);
    const secure = pods.filter(({ spec }) => String(spec.runtimeClassName).startsWith('kata-'));
    expect(secure.length).toBeGreaterThan(60);
    // A virtual machine is sized by the limits.
    for (const { spec } of secure)
      for (const { resources } of spec.containers)
        expect(Object.keys(resources.limits as object)).toEqual(expect.arrayContaining(['cpu', 'memory']));
    expect(pods.filter(({ status }) => status.phase === 'Running').length / pods.length).toBeGreaterThan(0.75);
  });

  it('has deployments that follow their load, between the bounds of their autoscalers', () => {
    const autoscalers = list('horizontalpodautoscalers.autoscaling');
    expect(autoscalers).toHaveLength(3);
    for (const { spec, status } of autoscalers) {
      expect(status.desiredReplicas).toBeGreaterThanOrEqual(spec.minReplicas as number);
      expect(status.desiredReplicas).toBeLessThanOrEqual(spec.maxReplicas as number);
    }
    const { metadata } = find('deployments.apps', 'east', 'shop-prod/storefront');
    expect(find('horizontalpodautoscalers.autoscaling', 'east', 'shop-prod/storefront').status.lastScaleTime).toBeDefined();
    expect(metadata.generation).toBeGreaterThan(5);
  });

  it('has ages of weeks, days, hours and moments, and nothing from the future', () => {
    const everything = ['nodes', 'namespaces', 'pods', 'replicasets.apps', ...workloads].flatMap((resource) => list(resource));
    const ages = everything.map(ageHours);
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(0);
    const isBetween = (low: number, high: number) => ages.some((hours) => hours >= low && hours < high);
    expect([isBetween(24 * 30, 24 * 90), isBetween(24 * 2, 24 * 7), isBetween(2, 12), isBetween(0, 0.1)]).toEqual([true, true, true, true]);
  });
});

describe('what is wrong at the company', () => {
  it('is a pod that crashes again and again behind a rollout that had gone well', () => {
    const pods = podsOf('east', 'shop-prod/coupon');
    expect(pods).toHaveLength(3);
    for (const { status } of pods) {
      expect(status.containerStatuses[0].restartCount).toBeGreaterThan(20);
      expect(status.containerStatuses[0].lastState.terminated).toMatchObject({ exitCode: 1 });
    }
    expect(pods.some(({ status }) => status.containerStatuses[0].state.waiting?.reason === 'CrashLoopBackOff')).toBe(true);
    expect(condition(find('deployments.apps', 'east', 'shop-prod/coupon'), 'Progressing').reason).toBe('NewReplicaSetAvailable');
  });

  it('is a container that is killed for its memory', () => {
    const [pod] = podsOf('east', 'settlement/report-builder');
    expect(pod!.status.containerStatuses[0].lastState.terminated).toMatchObject({ reason: 'OOMKilled', exitCode: 137 });
  });

  it('is a rollout on its way, in each cluster', () => {
    for (const [cluster, key] of [
      ['east', 'shop-prod/checkout'],
      ['north', 'warehouse/wms'],
    ] as const) {
      const deployment = find('deployments.apps', cluster, key);
      expect(deployment.status.updatedReplicas).toBeGreaterThan(0);
      expect(deployment.status.updatedReplicas).toBeLessThan(deployment.spec.replicas);
      expect(condition(deployment, 'Progressing').reason).toBe('ReplicaSetUpdated');
    }
  });

  it('is a rollout that is stuck, because its image cannot be had', () => {
    const deployment = find('deployments.apps', 'east', 'shop-test/checkout');
    expect(condition(deployment, 'Progressing')).toMatchObject({ status: 'False', reason: 'ProgressDeadlineExceeded' });
    const reasons = podsOf('east', 'shop-test/checkout').map(({ status }) => status.containerStatuses[0].state.waiting?.reason as string);
    expect(reasons).toEqual(expect.arrayContaining([expect.stringMatching(/^(ErrImagePull|ImagePullBackOff)$/), undefined]));
  });

  it('is a job that failed, while others are done or under way', () => {
    expect(condition(find('jobs.batch', 'east', 'shop-test/load-test'), 'Failed')).toMatchObject({
      status: 'True',
      reason: 'BackoffLimitExceeded',
    });
    expect(condition(find('jobs.batch', 'east', 'shop-prod/migrate-orders-v42'), 'Complete').status).toBe('True');
    expect(find('jobs.batch', 'east', 'vision-train/train-detector').status.active).toBe(2);
  });

  it('is a pod that waits for more devices than are free', () => {
    const waiting = podsOf('east', 'vision-train/finetune').filter(({ status }) => status.phase === 'Pending');
    expect(waiting.length).toBeGreaterThan(0);
    expect(condition(waiting[0]!, 'PodScheduled')).toMatchObject({ status: 'False', reason: 'Unschedulable' });
    expect(condition(waiting[0]!, 'PodScheduled').message).toContain('Insufficient nvidia.com/gpu');
  });

  it('is a node that takes no more pods, and one that nobody hears of', () => {
    expect(find('nodes', 'east', 'east-worker-4').spec.unschedulable).toBe(true);
    const lost = find('nodes', 'north', 'north-arm-5');
    expect(condition(lost, 'Ready').status).toBe('Unknown');
    expect(lost.spec.taints).toEqual(expect.arrayContaining([expect.objectContaining({ key: 'node.kubernetes.io/unreachable' })]));
    expect(list('nodes').filter((node) => condition(node, 'Ready').status !== 'True')).toHaveLength(1);
  });

  it('is a workload that was stopped, and a cron job that was suspended', () => {
    const stopped = find('deployments.apps', 'east', 'shop-prod/gift-card');
    expect(stopped).toMatchObject({ spec: { replicas: 0 }, metadata: { annotations: { 'gateway.openstack.org/stopped-replicas': '3' } } });
    expect(podsOf('east', 'shop-prod/gift-card')).toEqual([]);
    expect(find('cronjobs.batch', 'east', 'shop-prod/promotion-report').spec.suspend).toBe(true);
  });

  it('is nothing else: all other deployments and sets have what they want', () => {
    const troubled = new Set(['coupon', 'checkout', 'wms', 'finetune', 'robot-gateway', 'report-builder']);
    const behind = ['deployments.apps', 'statefulsets.apps'].flatMap((resource) =>
      list(resource).filter(
        ({ metadata, spec, status }) => !troubled.has(metadata.name) && (status.readyReplicas ?? 0) < spec.replicas - 1,
      ),
    );
    expect(behind.map(({ metadata }) => metadata.name)).toEqual([]);
  });
});

/** An object as somebody would write it who wants another one like it. */
function manifestOf({ apiVersion, kind, metadata, status: _status, ...rest }: SandboxObject): object {
  const { labels, annotations, ownerReferences } = metadata;
  return { apiVersion, kind, metadata: { name: 'another', labels, annotations, ownerReferences }, ...rest };
}

const pathOf = ({ apiVersion }: SandboxObject, plural: string, namespace: string | undefined): string =>
  `${apiVersion === 'v1' ? '/api' : '/apis'}/${apiVersion}${namespace === undefined ? '' : `/namespaces/${namespace}`}/${plural}`;

it('every object is one that the API server takes, unknown fields refused', async () => {
  for (const { sandbox, name } of company.clusters) {
    const server = await SandboxServer.start();
    try {
      for (const runtimeClass of sandbox.storage.list('runtimeclasses.node.k8s.io'))
        server.storage.create('runtimeclasses.node.k8s.io', {
          ...manifestOf(runtimeClass),
          metadata: { name: runtimeClass.metadata.name },
        });
      let asked = 0;
      for (const resource of [
        'nodes',
        'namespaces',
        'runtimeclasses.node.k8s.io',
        'services',
        'pods',
        'horizontalpodautoscalers.autoscaling',
        ...workloads,
      ]) {
        for (const object of sandbox.storage.list(resource)) {
          const namespace = object.metadata.namespace === undefined ? undefined : 'default';
          const manifest = manifestOf(object) as { spec?: Record<string, unknown> };
          // A job's own selector and labels are made anew.
          if (resource === 'jobs.batch') manifest.spec = { ...manifest.spec, manualSelector: true };
          const path = pathOf(object, resource.split('.')[0]!, namespace);
          const { code, body } = await server.ask('POST', `${path}?dryRun=All&fieldValidation=Strict`, { body: manifest });
          if (code !== 201) throw new Error(`${name} ${resource} ${object.metadata.name}: ${code} ${JSON.stringify(body.message)}`);
          asked++;
        }
      }
      expect(asked).toBeGreaterThan(200);
    } finally {
      await server.close();
    }
  }
}, 60_000);

describe('chance', () => {
  const picture = ({ clusters }: Company): unknown =>
    clusters.map(({ sandbox: { storage } }) => [
      storage.resourceVersion,
      storage
        .list('pods')
        .map(({ metadata, spec, status }) => [
          metadata.namespace,
          metadata.name,
          metadata.creationTimestamp,
          spec.nodeName as string,
          status.phase as string,
          status.containerStatuses?.[0].restartCount as number,
        ]),
    ]);

  it.each([
    ['the same', 7],
    ['another', 8],
  ])(
    'of %s seed makes the company of it, which ends when it is closed',
    async (which, seed) => {
      const twin = await start(seed);
      const { url } = twin.clusters[0]!.sandbox;
      try {
        if (which === 'the same') expect(picture(twin)).toEqual(picture(company));
        else expect(picture(twin)).not.toEqual(picture(company));
      } finally {
        await twin.close();
      }
      await twin.close();
      await expect(fetch(`${url}/readyz`)).rejects.toThrow();
    },
    60_000,
  );
});

describe('once it is open', () => {
  it('pods come and go by themselves, and nothing fails', async () => {
    const lively = await startCompany({ now: Date.now, speed: 240, onError: (error) => errors.push(error) });
    try {
      await Promise.all(lively.clusters.map(comesAndGoes));
    } finally {
      await lively.close();
    }
  }, 60_000);
});

/** Resolves once pods of deployments and of jobs were created and deleted in the cluster. @throws Error where that takes half a minute. */
function comesAndGoes({ name, sandbox }: CompanyCluster): Promise<void> {
  const missing = new Set(['ADDED ReplicaSet', 'DELETED ReplicaSet', 'ADDED Job', 'DELETED Job']);
  return new Promise((resolve, reject) => {
    const giveUp = setTimeout(() => reject(new Error(`${name} has not seen ${[...missing].join(', ')}`)), 30_000);
    const stop = sandbox.storage.subscribe(({ type, resource, object }) => {
      if (resource !== 'pods') return;
      missing.delete(`${type} ${object.metadata.ownerReferences?.[0]?.kind}`);
      if (missing.size > 0) return;
      clearTimeout(giveUp);
      stop();
      resolve();
    });
  });
}
