// Objects of a cluster as large and as varied as those of a real one: about 7 KB a pod as the API server lists it, `managedFields` included.

export const projectLabel = 'openstack.org/project-id';

const id = (index) => `${(0x1000000 + index * 7919).toString(16).slice(-6)}`;
const at = (index) => new Date(Date.UTC(2026, 0, 1, 0, 0, index % 86_400)).toISOString().replace('.000', '');

export function nodeObject(index) {
  const quantities = { cpu: '32', memory: '131072Mi', 'ephemeral-storage': '200Gi', pods: '250' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: `node-${index}`,
      labels: { 'kubernetes.io/arch': index % 5 === 0 ? 'arm64' : 'amd64', 'kubernetes.io/hostname': `node-${index}` },
    },
    spec: { providerID: `openstack:///server-${index}` },
    status: {
      capacity: quantities,
      allocatable: quantities,
      conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: at(0), lastTransitionTime: at(0) }],
      addresses: [{ type: 'InternalIP', address: `10.0.${index >> 8}.${index & 255}` }],
      nodeInfo: {
        architecture: 'amd64',
        bootID: id(index),
        containerRuntimeVersion: 'containerd://2.1.4',
        kernelVersion: '6.6.0',
        kubeProxyVersion: 'v1.36.3',
        kubeletVersion: 'v1.36.3',
        machineID: id(index),
        operatingSystem: 'linux',
        osImage: 'Linux',
        systemUUID: id(index),
      },
    },
  };
}

export function namespaceObject(index) {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: `team-${index}`, labels: { [projectLabel]: `p-${index}` } } };
}

/** The deployment of a namespace, with its replica set; uids are the API server's, so the set is made once the deployment is stored. */
export function deploymentObject(namespace) {
  const labels = { app: 'web', tier: 'front' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace, labels },
    spec: {
      replicas: 100,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'registry.example/web:1.4.2' }] } },
    },
  };
}

export function replicaSetObject({ metadata, spec }) {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: 'web-5f9c7d',
      namespace: metadata.namespace,
      labels: spec.template.metadata.labels,
      ownerReferences: [ownerOf('apps/v1', 'Deployment', metadata)],
    },
    spec: { replicas: spec.replicas, selector: spec.selector, template: spec.template },
  };
}

const ownerOf = (apiVersion, kind, { name, uid }) => ({ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true });

export function podObject(index, replicaSet, nodeCount) {
  const { namespace } = replicaSet.metadata;
  const env = Array.from({ length: 8 }, (_, n) => ({ name: `SETTING_${n}`, value: `value ${n} of ${id(index)}` }));
  const probe = { httpGet: { path: '/healthz', port: 8080, scheme: 'HTTP' }, periodSeconds: 10, timeoutSeconds: 2 };
  const container = (name, port) => ({
    name,
    image: `registry.example/team/${name}:1.4.${index % 20}`,
    ports: [{ name: 'http', containerPort: port, protocol: 'TCP' }],
    env,
    resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '500m', memory: '256Mi' } },
    livenessProbe: probe,
    readinessProbe: probe,
    volumeMounts: [
      { name: 'config', mountPath: '/etc/app' },
      { name: 'cache', mountPath: '/var/cache/app' },
    ],
  });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `web-5f9c7d-${id(index)}`,
      namespace,
      labels: { app: 'web', tier: 'front', 'pod-template-hash': '5f9c7d', release: `r${index % 20}` },
      annotations: { 'example.com/config-digest': id(index).repeat(8), 'example.com/owner': 'team-front@company.example' },
      ownerReferences: [ownerOf('apps/v1', 'ReplicaSet', replicaSet.metadata)],
      managedFields: ['kube-controller-manager', 'kubelet'].map((manager) => ({
        manager,
        operation: 'Update',
        apiVersion: 'v1',
        time: at(index),
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:metadata': fieldsOf(7), 'f:spec': fieldsOf(8), 'f:status': fieldsOf(7) },
      })),
    },
    spec: {
      nodeName: `node-${index % nodeCount}`,
      containers: [container('main', 8080), container('proxy', 9090)],
      volumes: [
        { name: 'config', configMap: { name: 'web', defaultMode: 420 } },
        { name: 'cache', emptyDir: {} },
      ],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
    },
  };
}

const fieldsOf = (count) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`f:someFieldName${n}`, { '.': {}, 'f:value': {} }]));

export function podStatus(index, { spec }) {
  const restarts = index % 7 === 0 ? index % 50 : 0;
  const address = `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
  return {
    phase: 'Running',
    startTime: at(index),
    hostIP: '10.0.0.1',
    podIP: address,
    podIPs: [{ ip: address }],
    qosClass: 'Burstable',
    conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({
      type,
      status: 'True',
      lastProbeTime: null,
      lastTransitionTime: at(index),
    })),
    containerStatuses: spec.containers.map(({ name, image }) => ({
      name,
      image,
      imageID: `${image}@sha256:${id(index).repeat(10)}`,
      containerID: `containerd://${id(index).repeat(10)}`,
      ready: true,
      started: true,
      restartCount: restarts,
      state: { running: { startedAt: at(index) } },
      lastState: {},
    })),
  };
}
