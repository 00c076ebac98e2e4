import { cronJobs, deployments, statefulSets, workloadKinds } from '../../../src/domain/kinds/workloads.js';
import type { PodTemplate } from '../../../src/domain/pod-template.js';
import { recordOf } from './records.js';

const templateOf = (spec: object, metadata: object = {}): PodTemplate =>
  recordOf(deployments, { spec: { template: { metadata, spec } } }).template;

const noResources = { cpuCores: undefined, memoryBytes: undefined, ephemeralStorageBytes: undefined, gpus: [] };
const bareContainer = {
  name: '',
  image: '',
  imagePullPolicy: undefined,
  workingDir: undefined,
  command: [],
  args: [],
  env: [],
  envFrom: [],
  ports: [],
  requests: noResources,
  limits: noResources,
  mounts: [],
  livenessProbe: undefined,
  readinessProbe: undefined,
  startupProbe: undefined,
  securityContext: undefined,
  sidecar: false,
};
const noScheduling = { nodeSelector: [], nodeNames: [], spreadAcrossNodes: false, tolerations: [], nodeAffinity: [], podAffinity: [] };

it('a template that says everything is read whole', () => {
  const metadata = {
    labels: { tier: 'front', app: 'web' },
    annotations: { 'example.com/note': 'kept', 'kubectl.kubernetes.io/last-applied-configuration': '{"data":"secret"}' },
  };
  const spec = {
    runtimeClassName: 'kata',
    restartPolicy: 'Always',
    serviceAccountName: 'web',
    terminationGracePeriodSeconds: 45,
    dnsPolicy: 'ClusterFirst',
    hostAliases: [{ ip: '192.0.2.7', hostnames: ['legacy', 'legacy.example.com'] }],
    imagePullSecrets: [{ name: 'registry' }],
    initContainers: [
      { name: 'migrate', image: 'shop:2', command: ['/migrate'] },
      { name: 'proxy', image: 'envoy:1', restartPolicy: 'Always' },
    ],
    containers: [
      {
        name: 'app',
        image: 'shop:2',
        imagePullPolicy: 'IfNotPresent',
        workingDir: '/srv',
        command: ['/app'],
        args: ['--port', '8080'],
        env: [
          { name: 'MODE', value: 'fast' },
          { name: 'EMPTY' },
          { name: 'SETTING', valueFrom: { configMapKeyRef: { name: 'settings', key: 'setting' } } },
          { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password', optional: true } } },
          { name: 'POD_IP', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } },
          { name: 'CPUS', valueFrom: { resourceFieldRef: { containerName: 'app', resource: 'limits.cpu', divisor: '1' } } },
          { name: 'FILE', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'env', key: 'k' } } },
        ],
        envFrom: [{ prefix: 'S_', secretRef: { name: 'db', optional: false } }, { configMapRef: { name: 'settings', optional: true } }],
        ports: [{ containerPort: 8080 }, { name: 'dns', containerPort: 53, protocol: 'UDP' }, { containerPort: 7, protocol: 'QUIC' }],
        resources: {
          requests: { cpu: '250m', memory: '256Mi' },
          limits: { cpu: '1', memory: '1Gi', 'ephemeral-storage': '2Gi', 'nvidia.com/gpu': 1 },
        },
        volumeMounts: [
          { name: 'data', mountPath: '/data', subPath: 'app' },
          { name: 'settings', mountPath: '/etc/app', readOnly: true },
          { name: 'missing', mountPath: '/x', subPathExpr: '$(POD)' },
        ],
        livenessProbe: {
          httpGet: { path: '/healthz', port: 8080, scheme: 'HTTP' },
          initialDelaySeconds: 5,
          periodSeconds: 20,
          timeoutSeconds: 2,
          failureThreshold: 6,
        },
        readinessProbe: { tcpSocket: { port: 'http' } },
        startupProbe: { exec: { command: ['cat', '/ready'] }, periodSeconds: 0 },
        securityContext: {
          runAsUser: 4_294_967_295,
          runAsGroup: 0,
          runAsNonRoot: true,
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
          privileged: false,
          capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] },
        },
      },
    ],
    volumes: [
      { name: 'data', persistentVolumeClaim: { claimName: 'shop-data' } },
      { name: 'settings', configMap: { name: 'settings', items: [{ key: 'setting', path: 'app.conf', mode: 420 }] } },
      { name: 'certificates', secret: { secretName: 'tls' } },
      { name: 'scratch', emptyDir: {} },
      { name: 'host', hostPath: { path: '/etc' } },
      { name: 'own', ephemeral: { volumeClaimTemplate: { spec: {} } } },
    ],
    nodeSelector: { disk: 'ssd' },
    tolerations: [{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }],
  };
  const wanted: PodTemplate = {
    clusterName: 'east',
    runtimeClassName: 'kata',
    restartPolicy: 'ALWAYS',
    serviceAccountName: 'web',
    terminationGracePeriodSeconds: 45,
    imagePullSecrets: ['registry'],
    network: { dnsPolicy: 'ClusterFirst', hostAliases: [{ ip: '192.0.2.7', hostnames: ['legacy', 'legacy.example.com'] }] },
    labels: [
      { key: 'app', value: 'web' },
      { key: 'tier', value: 'front' },
    ],
    annotations: [{ key: 'example.com/note', value: 'kept' }],
    initContainers: [
      { ...bareContainer, name: 'migrate', image: 'shop:2', command: ['/migrate'] },
      { ...bareContainer, name: 'proxy', image: 'envoy:1', sidecar: true },
    ],
    containers: [
      {
        name: 'app',
        image: 'shop:2',
        imagePullPolicy: 'IfNotPresent',
        workingDir: '/srv',
        command: ['/app'],
        args: ['--port', '8080'],
        env: [
          { name: 'MODE', value: 'fast', source: undefined },
          { name: 'EMPTY', value: '', source: undefined },
          {
            name: 'SETTING',
            value: undefined,
            source: { kind: 'CONFIG_MAP', name: 'settings', key: 'setting', prefix: undefined, optional: false },
          },
          {
            name: 'PASSWORD',
            value: undefined,
            source: { kind: 'SECRET', name: 'db', key: 'password', prefix: undefined, optional: true },
          },
          {
            name: 'POD_IP',
            value: undefined,
            source: { kind: 'FIELD', name: 'status.podIP', key: undefined, prefix: undefined, optional: false },
          },
          {
            name: 'CPUS',
            value: undefined,
            source: { kind: 'RESOURCE', name: 'limits.cpu', key: 'app', prefix: undefined, optional: false },
          },
          { name: 'FILE', value: undefined, source: { kind: 'OTHER', name: 'fileKeyRef', key: 'k', prefix: undefined, optional: false } },
        ],
        envFrom: [
          { kind: 'SECRET', name: 'db', key: undefined, prefix: 'S_', optional: false },
          { kind: 'CONFIG_MAP', name: 'settings', key: undefined, prefix: undefined, optional: true },
        ],
        ports: [
          { name: undefined, containerPort: 8080, protocol: 'TCP' },
          { name: 'dns', containerPort: 53, protocol: 'UDP' },
          { name: undefined, containerPort: 7, protocol: undefined },
        ],
        requests: { cpuCores: 0.25, memoryBytes: 2 ** 28, ephemeralStorageBytes: undefined, gpus: [] },
        limits: {
          cpuCores: 1,
          memoryBytes: 2 ** 30,
          ephemeralStorageBytes: 2 ** 31,
          gpus: [{ vendor: 'NVIDIA', resourceName: 'nvidia.com/gpu', count: 1 }],
        },
        mounts: [
          { volumeName: 'data', path: '/data', subPath: 'app', readOnly: false, claimName: 'shop-data' },
          { volumeName: 'settings', path: '/etc/app', subPath: undefined, readOnly: true, claimName: undefined },
          { volumeName: 'missing', path: '/x', subPath: '$(POD)', readOnly: false, claimName: undefined },
        ],
        livenessProbe: {
          httpPath: '/healthz',
          port: '8080',
          command: [],
          initialDelaySeconds: 5,
          periodSeconds: 20,
          timeoutSeconds: 2,
          failureThreshold: 6,
        },
        readinessProbe: {
          httpPath: undefined,
          port: 'http',
          command: [],
          initialDelaySeconds: 0,
          periodSeconds: 10,
          timeoutSeconds: 1,
          failureThreshold: 3,
        },
        startupProbe: {
          httpPath: undefined,
          port: undefined,
          command: ['cat', '/ready'],
          initialDelaySeconds: 0,
          periodSeconds: 10,
          timeoutSeconds: 1,
          failureThreshold: 3,
        },
        securityContext: {
          runAsUser: 4_294_967_295,
          runAsGroup: 0,
          runAsNonRoot: true,
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
          privileged: false,
          addCapabilities: ['NET_BIND_SERVICE'],
          dropCapabilities: ['ALL'],
        },
        sidecar: false,
      },
    ],
    volumes: [
      { name: 'data', kind: 'CLAIM', sourceName: 'shop-data', items: [], newClaim: undefined },
      { name: 'settings', kind: 'CONFIG_MAP', sourceName: 'settings', items: [{ key: 'setting', path: 'app.conf' }], newClaim: undefined },
      { name: 'certificates', kind: 'SECRET', sourceName: 'tls', items: [], newClaim: undefined },
      { name: 'scratch', kind: 'EMPTY_DIR', sourceName: undefined, items: [], newClaim: undefined },
      { name: 'host', kind: 'OTHER', sourceName: undefined, items: [], newClaim: undefined },
      { name: 'own', kind: 'OTHER', sourceName: undefined, items: [], newClaim: undefined },
    ],
    scheduling: {
      ...noScheduling,
      nodeSelector: [{ key: 'disk', value: 'ssd' }],
      tolerations: [{ key: 'gpu', operator: 'EXISTS', value: undefined, effect: 'NO_SCHEDULE', tolerationSeconds: undefined }],
    },
  };
  expect(templateOf(spec, metadata)).toEqual(wanted);
});

it('a template that says nothing is empty, not absent', () => {
  const wanted: PodTemplate = {
    clusterName: 'east',
    runtimeClassName: undefined,
    restartPolicy: undefined,
    serviceAccountName: undefined,
    terminationGracePeriodSeconds: undefined,
    imagePullSecrets: [],
    network: { dnsPolicy: undefined, hostAliases: [] },
    labels: [],
    annotations: [],
    initContainers: [],
    containers: [],
    volumes: [],
    scheduling: noScheduling,
  };
  for (const kind of workloadKinds) expect([kind.name, recordOf(kind).template]).toEqual([kind.name, wanted]);
});

describe('a template', () => {
  it('has none of the values that Kubernetes does not have yet', () => {
    expect(templateOf({ restartPolicy: 'Sometimes' }).restartPolicy).toBeUndefined();
    expect(['Always', 'OnFailure', 'Never'].map((restartPolicy) => templateOf({ restartPolicy }).restartPolicy)).toEqual([
      'ALWAYS',
      'ON_FAILURE',
      'NEVER',
    ]);
    expect(templateOf({ tolerations: [{ operator: 'Roughly', effect: 'Whatever' }] }).scheduling.tolerations).toEqual([
      { key: undefined, operator: undefined, value: undefined, effect: undefined, tolerationSeconds: undefined },
    ]);
  });

  it('says that a container is probed at the root where an HTTP probe names no path, and by gRPC at its port', () => {
    const [container] = templateOf({
      containers: [
        { livenessProbe: { httpGet: { port: 'http' } }, readinessProbe: { grpc: { port: 9000, service: 'x' } }, startupProbe: {} },
      ],
    }).containers;
    expect([container?.livenessProbe?.httpPath, container?.livenessProbe?.port]).toEqual(['/', 'http']);
    expect([container?.readinessProbe?.httpPath, container?.readinessProbe?.port]).toEqual([undefined, '9000']);
    expect(container?.startupProbe).toEqual({
      httpPath: undefined,
      port: undefined,
      command: [],
      initialDelaySeconds: 0,
      periodSeconds: 10,
      timeoutSeconds: 1,
      failureThreshold: 3,
    });
  });

  it('has no security context where the container sets nothing', () => {
    const contexts = [{}, { securityContext: {} }, { securityContext: { privileged: true } }].map(
      (container) => templateOf({ containers: [container] }).containers[0]?.securityContext?.privileged,
    );
    expect(contexts).toEqual([undefined, undefined, true]);
    expect(templateOf({ containers: [{ securityContext: {} }] }).containers[0]?.securityContext).toBeUndefined();
  });

  it('holds seconds of 64 bits at what GraphQL can say', () => {
    expect(templateOf({ terminationGracePeriodSeconds: 10_000_000_000 }).terminationGracePeriodSeconds).toBe(2_147_483_647);
    const [toleration] = templateOf({ tolerations: [{ key: 'a', tolerationSeconds: -10_000_000_000 }] }).scheduling.tolerations;
    expect(toleration?.tolerationSeconds).toBe(-2_147_483_648);
  });

  it('of a cron job is that of its jobs', () => {
    const template = {
      metadata: { labels: { app: 'report' } },
      spec: { containers: [{ name: 'report', image: 'report:1' }], restartPolicy: 'Never' },
    };
    const read = recordOf(cronJobs, { spec: { schedule: '@daily', jobTemplate: { spec: { template } } } }).template;
    expect([read.labels, read.containers.map(({ image }) => image), read.restartPolicy]).toEqual([
      [{ key: 'app', value: 'report' }],
      ['report:1'],
      'NEVER',
    ]);
  });

  it('of a stateful set has its claim templates as volumes, before volumes of the same name', () => {
    const claim = (name: string, spec: object): object => ({ metadata: { name }, spec });
    const { volumes, containers } = recordOf(statefulSets, {
      spec: {
        volumeClaimTemplates: [
          claim('data', {
            storageClassName: 'fast',
            accessModes: ['ReadWriteOnce', 'ReadSometimes'],
            resources: { requests: { storage: '10Gi' } },
          }),
          claim('logs', { accessModes: ['ReadWriteMany', 'ReadOnlyMany', 'ReadWriteOncePod'] }),
        ],
        template: {
          spec: {
            volumes: [
              { name: 'data', emptyDir: {} },
              { name: 'scratch', emptyDir: {} },
            ],
            containers: [{ volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
          },
        },
      },
    }).template;
    expect(volumes).toEqual([
      { name: 'scratch', kind: 'EMPTY_DIR', sourceName: undefined, items: [], newClaim: undefined },
      {
        name: 'data',
        kind: 'NEW_CLAIM',
        sourceName: undefined,
        items: [],
        newClaim: { storageClassName: 'fast', requestedBytes: 10 * 2 ** 30, accessModes: ['READ_WRITE_ONCE', undefined] },
      },
      {
        name: 'logs',
        kind: 'NEW_CLAIM',
        sourceName: undefined,
        items: [],
        newClaim: {
          storageClassName: undefined,
          requestedBytes: 0,
          accessModes: ['READ_WRITE_MANY', 'READ_ONLY_MANY', 'READ_WRITE_ONCE_POD'],
        },
      },
    ]);
    expect(containers[0]?.mounts[0]?.claimName).toBeUndefined();
  });
});
