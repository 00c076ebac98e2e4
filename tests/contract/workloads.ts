/* What controllers, scheduler and kubelets make of objects, on the embedded cluster and on the real control plane alike. */
import { until } from '../support/until.js';
import type { ApiServer } from './api-server.js';

/** A cluster with nodes that run pods. */
export interface LiveCluster extends Pick<ApiServer, 'ask' | 'close'> {
  /** Annotations of a pod whose containers end by themselves, soon. */
  ending(exitCode: number): Readonly<Record<string, string>>;
  /** Annotations of a pod that runs and never becomes ready. */
  readonly neverReady: Readonly<Record<string, string>>;
  /** Names of the nodes that take any pod. */
  readonly nodes: readonly string[];
}

type Value = any;

const merge = 'application/merge-patch+json';

export function describeWorkloads(name: string, start: () => Promise<LiveCluster>): void {
  describe(`${name} with workloads`, () => {
    let cluster: LiveCluster;
    let namespace = '';
    beforeAll(async () => {
      cluster = await start();
    }, 60_000);
    afterAll(() => cluster.close());
    beforeEach(async () => {
      const { body } = await cluster.ask('POST', '/api/v1/namespaces', { body: { metadata: { generateName: 'workloads-' } } });
      namespace = body.metadata.name;
      // A real one lets no pod in before its account is there.
      await until('the service account', async () => {
        const { status } = await cluster.ask('GET', `/api/v1/namespaces/${namespace}/serviceaccounts/default`);
        return status === 200 || (await isEmbedded()) ? true : undefined;
      });
    });
    afterEach(() => cluster.ask('DELETE', `/api/v1/namespaces/${namespace}`));

    const isEmbedded = async (): Promise<boolean> =>
      (await cluster.ask('GET', '/api/v1')).body.resources.every((each: Value) => each.name !== 'serviceaccounts');
    const groups: Readonly<Record<string, string>> = {
      pods: 'api/v1',
      deployments: 'apis/apps/v1',
      replicasets: 'apis/apps/v1',
      statefulsets: 'apis/apps/v1',
      daemonsets: 'apis/apps/v1',
      jobs: 'apis/batch/v1',
      cronjobs: 'apis/batch/v1',
    };
    const pathOf = (resource: string, each?: string): string =>
      `/${groups[resource]}/namespaces/${namespace}/${resource}${each === undefined ? '' : `/${each}`}`;
    const create = async (resource: string, body: object): Promise<Value> => {
      const answer = await cluster.ask('POST', pathOf(resource), { body });
      expect({ status: answer.status, message: answer.status === 201 ? undefined : answer.body.message }).toEqual({
        status: 201,
        message: undefined,
      });
      return answer.body;
    };
    const patch = async (resource: string, each: string, body: object): Promise<Value> => {
      const answer = await cluster.ask('PATCH', pathOf(resource, each), { body, contentType: merge });
      expect(answer.status).toBe(200);
      return answer.body;
    };
    const get = async (resource: string, each: string): Promise<Value> => {
      const { status, body } = await cluster.ask('GET', pathOf(resource, each));
      return status === 200 ? body : undefined;
    };
    const list = async (resource: string): Promise<Value[]> => (await cluster.ask('GET', pathOf(resource))).body.items;
    const running = async (): Promise<Value[]> =>
      (await list('pods')).filter(({ metadata, status }) => status?.phase === 'Running' && metadata.deletionTimestamp === undefined);
    const condition = (object: Value, type: string): Value => object?.status?.conditions?.find((each: Value) => each.type === type);

    const template = (image = 'nginx:1', annotations: object = {}, spec: object = {}): object => ({
      metadata: { labels: { app: 'a' }, annotations },
      spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image }], ...spec },
    });
    const workload = (each: string, spec: object = {}): object => ({
      metadata: { name: each },
      spec: { selector: { matchLabels: { app: 'a' } }, template: template(), ...spec },
    });

    describe('a deployment', () => {
      it('makes a replica set and pods, is available, and tells so', async () => {
        const made = await create('deployments', workload('web', { replicas: 2 }));
        const done = await until('two available pods', async () => {
          const found = await get('deployments', 'web');
          return found?.status?.availableReplicas === 2 && found.status.observedGeneration === found.metadata.generation
            ? found
            : undefined;
        });
        expect(done.status).toMatchObject({ replicas: 2, updatedReplicas: 2, readyReplicas: 2 });
        expect(condition(done, 'Available')).toMatchObject({ status: 'True', reason: 'MinimumReplicasAvailable' });
        expect(condition(done, 'Progressing')).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' });
        expect(done.metadata.annotations['deployment.kubernetes.io/revision']).toBe('1');
        const [replicaSet, ...others] = await list('replicasets');
        expect(others).toEqual([]);
        const hash = replicaSet.metadata.labels['pod-template-hash'];
        expect(replicaSet.metadata).toMatchObject({
          name: `web-${hash}`,
          labels: { app: 'a' },
          annotations: {
            'deployment.kubernetes.io/revision': '1',
            'deployment.kubernetes.io/desired-replicas': '2',
            'deployment.kubernetes.io/max-replicas': '3',
          },
          ownerReferences: [
            { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: made.metadata.uid, controller: true, blockOwnerDeletion: true },
          ],
        });
        expect(replicaSet.spec.selector.matchLabels).toEqual({ app: 'a', 'pod-template-hash': hash });
        const pods = await running();
        expect(pods).toHaveLength(2);
        for (const pod of pods) {
          expect(pod.metadata.name).toMatch(new RegExp(`^web-${hash}-[a-z0-9]{5}$`));
          expect(pod.metadata).toMatchObject({
            generateName: `web-${hash}-`,
            labels: { app: 'a', 'pod-template-hash': hash },
            ownerReferences: [{ kind: 'ReplicaSet', uid: replicaSet.metadata.uid, controller: true }],
          });
          expect(cluster.nodes).toContain(pod.spec.nodeName);
          expect(pod.status).toMatchObject({
            phase: 'Running',
            podIP: expect.any(String),
            containerStatuses: [
              {
                name: 'main',
                ready: true,
                restartCount: 0,
                image: expect.stringMatching(/nginx:1$/),
                state: { running: { startedAt: expect.any(String) } },
              },
            ],
          });
          for (const type of ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready']) expect(condition(pod, type)?.status).toBe('True');
        }
      });

      it('rolls out another template by a second replica set, and keeps the first for a rollback', async () => {
        await create('deployments', workload('web', { replicas: 3 }));
        await until('three pods', async () => ((await get('deployments', 'web'))?.status?.availableReplicas === 3 ? true : undefined));
        await patch('deployments', 'web', { spec: { template: template('nginx:2') } });
        const done = await until('the new template everywhere', async () => {
          const found = await get('deployments', 'web');
          const { status, metadata } = found;
          return status.observedGeneration === metadata.generation &&
            status.updatedReplicas === 3 &&
            status.replicas === 3 &&
            status.availableReplicas === 3
            ? found
            : undefined;
        });
        expect(done.metadata.annotations['deployment.kubernetes.io/revision']).toBe('2');
        const sets = (await list('replicasets')).map(({ metadata, spec }) => [
          metadata.annotations['deployment.kubernetes.io/revision'],
          spec.replicas,
          spec.template.spec.containers[0].image,
        ]);
        expect(sets.sort()).toEqual([
          ['1', 0, 'nginx:1'],
          ['2', 3, 'nginx:2'],
        ]);
        await until('the old pods’ end', async () => ((await list('pods')).length === 3 ? true : undefined));
      });

      it('whose image cannot be pulled fails by its deadline, and keeps the old pods', async () => {
        await create(
          'deployments',
          workload('web', { replicas: 2, progressDeadlineSeconds: 3, strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } }),
        );
        await until('two pods', async () => ((await get('deployments', 'web'))?.status?.availableReplicas === 2 ? true : undefined));
        await patch('deployments', 'web', { spec: { template: template('registry.invalid/none:1') } });
        const failed = await until('the deadline', async () => {
          const found = await get('deployments', 'web');
          return condition(found, 'Progressing')?.reason === 'ProgressDeadlineExceeded' ? found : undefined;
        });
        expect(condition(failed, 'Progressing').status).toBe('False');
        expect(failed.status).toMatchObject({ availableReplicas: 2, updatedReplicas: 1, unavailableReplicas: 1 });
        const stuck = await until('a pod that cannot pull', async () =>
          (await list('pods')).find(({ status }) =>
            /^(ErrImagePull|ImagePullBackOff)$/.test(status?.containerStatuses?.[0]?.state?.waiting?.reason ?? ''),
          ),
        );
        expect(stuck.status.phase).toBe('Pending');
      });

      it('is scaled up and down, and stopped', async () => {
        await create('deployments', workload('web', { replicas: 1 }));
        for (const replicas of [3, 1, 0]) {
          await patch('deployments', 'web/scale', { spec: { replicas } });
          await until(`${replicas} pods`, async () => {
            const { status } = await get('deployments', 'web');
            return (status.availableReplicas ?? 0) === replicas &&
              (status.replicas ?? 0) === replicas &&
              (await list('pods')).length === replicas
              ? true
              : undefined;
          });
        }
      });

      it('that is paused rolls nothing out until it goes on', async () => {
        await create('deployments', workload('web', { replicas: 1, paused: true }));
        const waiting = await until('its controller', async () => {
          const found = await get('deployments', 'web');
          return found?.status?.observedGeneration === found.metadata.generation ? found : undefined;
        });
        expect(waiting.status.replicas ?? 0).toBe(0);
        expect(await list('replicasets')).toEqual([]);
        await patch('deployments', 'web', { spec: { paused: false } });
        await until('a pod', async () => ((await get('deployments', 'web')).status.availableReplicas === 1 ? true : undefined));
      });

      it('replaces a pod that is deleted, and takes everything along when it is itself', async () => {
        await create('deployments', workload('web', { replicas: 1 }));
        const [first] = await until('a pod', async () => ((await running()).length === 1 ? await running() : undefined));
        const deleted = await cluster.ask('DELETE', pathOf('pods', first.metadata.name));
        expect(deleted.body).toMatchObject({
          kind: 'Pod',
          metadata: { deletionTimestamp: expect.any(String), deletionGracePeriodSeconds: 1 },
        });
        const [second] = await until('another pod', async () => {
          const pods = await running();
          return pods.length === 1 && pods[0].metadata.uid !== first.metadata.uid ? pods : undefined;
        });
        expect(second.metadata.name).not.toBe(first.metadata.name);
        await cluster.ask('DELETE', pathOf('deployments', 'web'));
        await until('the end of all', async () =>
          (await list('replicasets')).length === 0 && (await list('pods')).length === 0 ? true : undefined,
        );
      });
    });

    it('a stateful set makes its pods one after the other, by number, and takes the last first', async () => {
      await create('statefulsets', workload('db', { replicas: 3, serviceName: 'db' }));
      const names = async (): Promise<string[]> => (await list('pods')).map(({ metadata }) => metadata.name).sort();
      const done = await until('three ready pods', async () => {
        const found = await get('statefulsets', 'db');
        return found?.status?.readyReplicas === 3 && found.status.availableReplicas === 3 ? found : undefined;
      });
      expect(await names()).toEqual(['db-0', 'db-1', 'db-2']);
      expect(done.status.currentRevision).toBe(done.status.updateRevision);
      const pods = await list('pods');
      for (const { metadata } of pods) {
        expect(metadata.labels).toMatchObject({
          'statefulset.kubernetes.io/pod-name': metadata.name,
          'apps.kubernetes.io/pod-index': metadata.name.slice(3),
          'controller-revision-hash': done.status.updateRevision,
        });
        expect(metadata.ownerReferences).toMatchObject([{ kind: 'StatefulSet', name: 'db', controller: true }]);
      }
      const createdAt = pods
        .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
        .map(({ metadata }) => Number(metadata.resourceVersion) > 0 && metadata.creationTimestamp);
      expect(createdAt).toEqual([...createdAt].sort());
      await patch('statefulsets', 'db', { spec: { replicas: 1 } });
      await until('one pod', async () => ((await names()).join() === 'db-0' ? true : undefined));
      await patch('statefulsets', 'db', { spec: { template: template('nginx:2') } });
      const updated = await until('the new template', async () => {
        const found = await get('statefulsets', 'db');
        return found.status.observedGeneration === found.metadata.generation &&
          found.status.updatedReplicas === 1 &&
          found.status.readyReplicas === 1 &&
          found.status.currentRevision === found.status.updateRevision
          ? found
          : undefined;
      });
      expect(updated.status.updateRevision).not.toBe(done.status.updateRevision);
      expect((await get('pods', 'db-0')).spec.containers[0].image).toBe('nginx:2');
    });

    it('a daemon set puts one pod onto each node that it may run on', async () => {
      await create('daemonsets', workload('agent'));
      const done = await until('a pod on each', async () => {
        const found = await get('daemonsets', 'agent');
        return found?.status?.numberReady > 0 && found.status.numberReady === found.status.desiredNumberScheduled ? found : undefined;
      });
      expect(done.status).toMatchObject({
        numberMisscheduled: 0,
        numberAvailable: done.status.desiredNumberScheduled,
        updatedNumberScheduled: done.status.desiredNumberScheduled,
      });
      const nodes = (await running()).map(({ spec }) => spec.nodeName).sort();
      expect(new Set(nodes).size).toBe(nodes.length);
      expect(nodes).toEqual(expect.arrayContaining([...cluster.nodes]));
      await patch('daemonsets', 'agent', { spec: { template: { spec: { nodeSelector: { nowhere: 'true' } } } } });
      await until('no pod', async () =>
        (await list('pods')).length === 0 && (await get('daemonsets', 'agent')).status.desiredNumberScheduled === 0 ? true : undefined,
      );
    });

    it('a job is complete once its pods have succeeded', async () => {
      await create('jobs', {
        metadata: { name: 'import' },
        spec: { completions: 2, parallelism: 1, template: template('busybox:1', cluster.ending(0), { restartPolicy: 'Never' }) },
      });
      const done = await until('its completion', async () => {
        const found = await get('jobs', 'import');
        return condition(found, 'Complete')?.status === 'True' ? found : undefined;
      });
      expect(done.status).toMatchObject({ succeeded: 2, startTime: expect.any(String), completionTime: expect.any(String) });
      expect(done.status.active ?? 0).toBe(0);
      const pods = await list('pods');
      expect(pods.map(({ status }) => status.phase)).toEqual(['Succeeded', 'Succeeded']);
      for (const { metadata } of pods) {
        expect(metadata.labels).toMatchObject({
          'batch.kubernetes.io/job-name': 'import',
          'batch.kubernetes.io/controller-uid': done.metadata.uid,
        });
        expect(metadata.ownerReferences).toMatchObject([{ kind: 'Job', name: 'import', controller: true }]);
      }
    });

    it('a job fails once its pods have failed too often', async () => {
      await create('jobs', {
        metadata: { name: 'import' },
        spec: { backoffLimit: 0, template: template('busybox:1', cluster.ending(3), { restartPolicy: 'Never' }) },
      });
      const failed = await until('its failure', async () => {
        const found = await get('jobs', 'import');
        return condition(found, 'Failed')?.status === 'True' ? found : undefined;
      });
      expect(condition(failed, 'Failed')).toMatchObject({
        reason: 'BackoffLimitExceeded',
        message: 'Job has reached the specified backoff limit',
      });
      expect(failed.status).toMatchObject({ failed: 1 });
      const [pod] = await list('pods');
      expect(pod.status).toMatchObject({
        phase: 'Failed',
        containerStatuses: [{ state: { terminated: { exitCode: 3, reason: 'Error' } } }],
      });
    });

    it('a suspended job makes no pods until it is let go on', async () => {
      await create('jobs', {
        metadata: { name: 'later' },
        spec: { suspend: true, template: template('busybox:1', cluster.ending(0), { restartPolicy: 'Never' }) },
      });
      await until('the condition', async () => (condition(await get('jobs', 'later'), 'Suspended')?.status === 'True' ? true : undefined));
      expect(await list('pods')).toEqual([]);
      await patch('jobs', 'later', { spec: { suspend: false } });
      await until('its completion', async () => (condition(await get('jobs', 'later'), 'Complete')?.status === 'True' ? true : undefined));
    });

    it('pods that crash are restarted, and wait longer each time', async () => {
      await create('pods', {
        metadata: { name: 'crash', annotations: cluster.ending(1) },
        spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image: 'nginx:1' }] },
      });
      const waiting = await until('a back-off', async () => {
        const found = await get('pods', 'crash');
        return found?.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff' ? found : undefined;
      });
      expect(waiting.status).toMatchObject({
        phase: 'Running',
        containerStatuses: [{ ready: false, lastState: { terminated: { exitCode: 1, reason: 'Error' } } }],
      });
      expect(condition(waiting, 'Ready')).toMatchObject({ status: 'False', reason: 'ContainersNotReady' });
    });

    it('a pod that runs and is not ready is not available', async () => {
      await create('deployments', workload('slow', { replicas: 1, template: template('nginx:1', cluster.neverReady) }));
      const found = await until('a pod that runs', async () => {
        const [pod] = await running();
        const deployment = await get('deployments', 'slow');
        return pod !== undefined && deployment?.status?.unavailableReplicas === 1 ? deployment : undefined;
      });
      expect(found.status.readyReplicas ?? 0).toBe(0);
      expect(condition(found, 'Available')).toMatchObject({ status: 'False', reason: 'MinimumReplicasUnavailable' });
    });

    it('a pod that no node can take stays pending, and says why', async () => {
      await create('pods', {
        metadata: { name: 'huge' },
        spec: { containers: [{ name: 'main', image: 'nginx:1', resources: { requests: { cpu: '100000' } } }] },
      });
      const pending = await until('the scheduler', async () => {
        const found = await get('pods', 'huge');
        return condition(found, 'PodScheduled')?.reason === 'Unschedulable' ? found : undefined;
      });
      expect(condition(pending, 'PodScheduled')).toMatchObject({
        status: 'False',
        message: expect.stringMatching(/^0\/\d+ nodes are available: .*Insufficient cpu/),
      });
      expect(pending.status.phase).toBe('Pending');
      expect(pending.spec.nodeName).toBeUndefined();
    });

    it('a pod of a runtime class gets its overhead, and of one that does not exist is refused', async () => {
      const runtimeClass = `kata-${namespace}`;
      await cluster.ask('POST', '/apis/node.k8s.io/v1/runtimeclasses', {
        body: { metadata: { name: runtimeClass }, handler: 'kata-qemu', overhead: { podFixed: { cpu: '250m', memory: '320Mi' } } },
      });
      const spec = { containers: [{ name: 'main', image: 'nginx:1' }] };
      const made = await create('pods', { metadata: { name: 'secure' }, spec: { ...spec, runtimeClassName: runtimeClass } });
      expect(made.spec.overhead).toEqual({ cpu: '250m', memory: '320Mi' });
      const refused = await cluster.ask('POST', pathOf('pods'), {
        body: { metadata: { name: 'odd' }, spec: { ...spec, runtimeClassName: 'no-such-class' } },
      });
      expect(refused).toMatchObject({ status: 403, body: { reason: 'Forbidden' } });
      await cluster.ask('DELETE', `/apis/node.k8s.io/v1/runtimeclasses/${runtimeClass}`);
    });

    it('a cron job that is due makes a job', async () => {
      await create('cronjobs', {
        metadata: { name: 'often' },
        spec: {
          schedule: '* * * * *',
          jobTemplate: { spec: { template: template('busybox:1', cluster.ending(0), { restartPolicy: 'Never' }) } },
        },
      });
      const job = await until('a job', async () => (await list('jobs'))[0], { timeoutMs: 90_000 });
      const minute = Math.floor(Date.parse(job.metadata.annotations['batch.kubernetes.io/cronjob-scheduled-timestamp']) / 60_000);
      expect(job.metadata.name).toBe(`often-${minute}`);
      expect(job.metadata.ownerReferences).toMatchObject([{ apiVersion: 'batch/v1', kind: 'CronJob', name: 'often', controller: true }]);
      await until('the time of its last run', async () => (await get('cronjobs', 'often')).status?.lastScheduleTime);
      await patch('cronjobs', 'often', { spec: { suspend: true } });
    }, 120_000);

    it('a namespace that is deleted takes everything in it along', async () => {
      await create('deployments', workload('web', { replicas: 1 }));
      await until('a pod', async () => ((await running()).length === 1 ? true : undefined));
      const deleted = await cluster.ask('DELETE', `/api/v1/namespaces/${namespace}`);
      expect(deleted.body).toMatchObject({
        kind: 'Namespace',
        status: { phase: 'Terminating' },
        metadata: { deletionTimestamp: expect.any(String) },
      });
      const refused = await cluster.ask('POST', pathOf('pods'), {
        body: { metadata: { name: 'late' }, spec: { containers: [{ name: 'main', image: 'nginx:1' }] } },
      });
      expect(refused.status).toBe(403);
      await until('its end', async () => ((await cluster.ask('GET', `/api/v1/namespaces/${namespace}`)).status === 404 ? true : undefined));
      expect(await list('pods')).toEqual([]);
    });
  });
}
