import { hash32 } from '../random.js';
import type { SandboxObject } from '../storage.js';
import { registry } from './workloads.js';

/** One cloud server of a cluster, by what sets it apart. */
export interface NodePlan {
  readonly name: string;
  readonly address: string;
  readonly isMaster?: boolean;
  readonly arch?: 'amd64' | 'arm64';
  /** Cores. */
  readonly cpu: number;
  readonly memoryGi: number;
  /** Handlers of its container runtime beside `runc`. */
  readonly runtimes?: readonly string[];
  readonly accelerator?: Accelerator;
}

export interface Accelerator {
  /** Extended resource, such as `nvidia.com/gpu`. */
  readonly resource: string;
  readonly count: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Handlers that the accelerator brings along. */
  readonly handlers?: readonly string[];
}

/** Handlers of nodes that can run virtual machines. */
export const kata: readonly string[] = ['kata-qemu', 'kata-clh'];

/** What all servers of one cluster share. */
export interface NodeSite {
  readonly region: string;
  readonly kubernetesVersion: string;
}

/** Labels that NVIDIA's feature discovery gives a node, for the driver 450.80.02 that the product ships. */
function discovered(
  product: string,
  facts: { family: string; compute: string; memoryMi: number; count: number; replicas?: number },
): Record<string, string> {
  const { family, compute, memoryMi, count, replicas = 1 } = facts;
  const [major = '', minor = ''] = compute.split('.');
  return {
    'nvidia.com/cuda.driver-version.full': '450.80.02',
    'nvidia.com/cuda.driver-version.major': '450',
    'nvidia.com/cuda.driver-version.minor': '80',
    'nvidia.com/cuda.driver-version.revision': '02',
    'nvidia.com/cuda.driver.major': '450',
    'nvidia.com/cuda.driver.minor': '80',
    'nvidia.com/cuda.driver.rev': '02',
    'nvidia.com/cuda.runtime-version.full': '11.0',
    'nvidia.com/cuda.runtime-version.major': '11',
    'nvidia.com/cuda.runtime-version.minor': '0',
    'nvidia.com/cuda.runtime.major': '11',
    'nvidia.com/cuda.runtime.minor': '0',
    'nvidia.com/gpu.compute.major': major,
    'nvidia.com/gpu.compute.minor': minor,
    'nvidia.com/gpu.count': String(count),
    'nvidia.com/gpu.family': family,
    'nvidia.com/gpu.machine': 'OpenStack-Nova',
    'nvidia.com/gpu.memory': String(memoryMi),
    'nvidia.com/gpu.mode': 'compute',
    'nvidia.com/gpu.present': 'true',
    'nvidia.com/gpu.product': replicas > 1 ? `${product}-SHARED` : product,
    'nvidia.com/gpu.replicas': String(replicas),
    'nvidia.com/gpu.sharing-strategy': replicas > 1 ? 'time-slicing' : 'none',
    'nvidia.com/mig.capable': 'false',
    'nvidia.com/mig.strategy': 'single',
    'nvidia.com/mps.capable': 'true',
    'nvidia.com/vgpu.present': 'false',
  };
}

export const v100: Accelerator = {
  resource: 'nvidia.com/gpu',
  count: 4,
  labels: discovered('Tesla-V100-SXM2-16GB', { family: 'volta', compute: '7.0', memoryMi: 16_160, count: 4 }),
  handlers: ['nvidia'],
};

export const t4: Accelerator = {
  resource: 'nvidia.com/gpu',
  count: 2,
  labels: discovered('Tesla-T4', { family: 'turing', compute: '7.5', memoryMi: 15_109, count: 2 }),
  handlers: ['nvidia'],
};

/** Two devices, each handed out four times over. */
export const t4Shared: Accelerator = {
  resource: 'nvidia.com/gpu.shared',
  count: 8,
  labels: discovered('Tesla-T4', { family: 'turing', compute: '7.5', memoryMi: 15_109, count: 2, replicas: 4 }),
  handlers: ['nvidia'],
};

/** Devices that go into virtual machines as a whole; feature discovery does not see them. */
export const t4Passthrough: Accelerator = {
  resource: 'nvidia.com/pgpu',
  count: 2,
  labels: { 'nvidia.com/gpu.present': 'true', 'nvidia.com/gpu.workload.config': 'vm-passthrough' },
  handlers: ['kata-qemu-nvidia-gpu'],
};

export const kunlun: Accelerator = {
  resource: 'baidu.com/xpu',
  count: 8,
  labels: { 'accelerator.cloud.example/vendor': 'kunlun', 'accelerator.cloud.example/model': 'R200-8F' },
};

const systems = {
  amd64: { kernelVersion: '5.10.0-216.0.0.115.oe2203sp4.x86_64', flavor: 'general' },
  arm64: { kernelVersion: '5.10.0-216.0.0.115.oe2203sp4.aarch64', flavor: 'kunpeng' },
};

const conditions = [
  ['NetworkUnavailable', 'False', 'CNIIsUp', 'The network of the node is up'],
  ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
  ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
  ['Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'],
] as const;

/** The node as its kubelet registered it at that instant (RFC 3339). */
export function nodeFrom(plan: NodePlan, { region, kubernetesVersion }: NodeSite, index: number, instant: string): object {
  const { name, address, isMaster = false, arch = 'amd64', cpu, memoryGi, runtimes = [], accelerator } = plan;
  const serverId = uuidOf(`${region}/${name}`);
  const resources = accelerator === undefined ? {} : { [accelerator.resource]: String(accelerator.count) };
  const handlers = ['', 'runc', ...runtimes, ...(accelerator?.handlers ?? [])];
  const podCIDR = `10.${244 + (hash32(region) % 4)}.${index}.0/24`;
  const taints = [
    ...(isMaster ? [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }] : []),
    ...(accelerator === undefined ? [] : [{ key: accelerator.resource.replace('.shared', ''), value: 'present', effect: 'NoSchedule' }]),
  ];
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/arch': arch,
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'node.kubernetes.io/instance-type': `${systems[arch].flavor}.${cpu}c${memoryGi}g`,
        'topology.kubernetes.io/region': region,
        'topology.kubernetes.io/zone': `${region}${'abc'.charAt(index % 3)}`,
        ...(isMaster ? { 'node-role.kubernetes.io/control-plane': '' } : { 'node-role.kubernetes.io/worker': '' }),
        ...(runtimes.includes('kata-qemu') ? { 'katacontainers.io/kata-runtime': 'true' } : {}),
        ...(runtimes.includes('runsc') ? { 'runtime.cloud.example/gvisor': 'true' } : {}),
        ...accelerator?.labels,
      },
      annotations: { 'node.alpha.kubernetes.io/ttl': '0', 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
    },
    spec: { podCIDR, podCIDRs: [podCIDR], providerID: `openstack:///${serverId}`, ...(taints.length === 0 ? {} : { taints }) },
    status: {
      capacity: { cpu: String(cpu), memory: `${memoryGi}Gi`, 'ephemeral-storage': '200Gi', pods: '110', ...resources },
      // What the system and the kubelet keep for themselves.
      allocatable: {
        cpu: `${cpu * 1000 - 200}m`,
        memory: `${memoryGi * 1024 - 1536}Mi`,
        'ephemeral-storage': '180Gi',
        pods: '110',
        ...resources,
      },
      conditions: conditions.map(([type, status, reason, message]) => ({
        type,
        status,
        reason,
        message,
        lastHeartbeatTime: instant,
        lastTransitionTime: instant,
      })),
      addresses: [
        { type: 'InternalIP', address },
        { type: 'Hostname', address: name },
      ],
      nodeInfo: {
        machineID: serverId.replaceAll('-', ''),
        systemUUID: serverId,
        bootID: uuidOf(`${region}/${name}/boot`),
        kernelVersion: systems[arch].kernelVersion,
        osImage: 'openEuler 22.03 (LTS-SP4)',
        containerRuntimeVersion: 'containerd://2.1.4',
        kubeletVersion: kubernetesVersion,
        kubeProxyVersion: '',
        operatingSystem: 'linux',
        architecture: arch,
      },
      runtimeHandlers: handlers.map((handler) => ({
        name: handler,
        features: { recursiveReadOnlyMounts: true, userNamespaces: !handler.startsWith('kata') },
      })),
    },
  };
}

const staticComponents = { etcd: 'etcd:3.6.6', 'kube-apiserver': '', 'kube-controller-manager': '', 'kube-scheduler': '' };

/** The mirrors of what a master's kubelet runs from files; a worker has none. */
export function mirrorPods({ metadata: { name, uid, labels = {} } }: SandboxObject, kubernetesVersion: string): object[] {
  if (!Object.hasOwn(labels, 'node-role.kubernetes.io/control-plane')) return [];
  return Object.entries(staticComponents).map(([component, image]) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${component}-${name}`,
      namespace: 'kube-system',
      labels: { component, tier: 'control-plane' },
      annotations: {
        'kubernetes.io/config.hash': uuidOf(`${name}/${component}`).replaceAll('-', ''),
        'kubernetes.io/config.mirror': uuidOf(`${name}/${component}`).replaceAll('-', ''),
        'kubernetes.io/config.source': 'file',
      },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid, controller: true }],
    },
    spec: {
      nodeName: name,
      hostNetwork: true,
      priorityClassName: 'system-node-critical',
      tolerations: [{ operator: 'Exists', effect: 'NoExecute' }],
      containers: [
        {
          name: component,
          image: `${registry}/system/${image === '' ? `${component}:${kubernetesVersion}` : image}`,
          resources: { requests: { cpu: component === 'kube-apiserver' ? '250m' : '100m', memory: '100Mi' } },
        },
      ],
    },
  }));
}

/** A UUID that depends on the text alone, so that the same server has the same id at every start. */
function uuidOf(text: string): string {
  const hex = [0, 1, 2, 3].map((part) => hash32(`${text}#${part}`).toString(16).padStart(8, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}

const kataNodes = { nodeSelector: { 'katacontainers.io/kata-runtime': 'true' } };
const kataLabels = { 'app.kubernetes.io/managed-by': 'kata-deploy' };

function runtimeClass(name: string, rest: object = {}, labels: Record<string, string> = {}): object {
  return { apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', metadata: { name, labels }, handler: name, ...rest };
}

/** The runtimes of both clusters: Kata's own overheads, as its charts set them. */
export const runtimeClasses: readonly object[] = [
  runtimeClass('runc'),
  runtimeClass('kata-qemu', { overhead: { podFixed: { memory: '320Mi', cpu: '250m' } }, scheduling: kataNodes }, kataLabels),
  runtimeClass('kata-clh', { overhead: { podFixed: { memory: '130Mi', cpu: '250m' } }, scheduling: kataNodes }, kataLabels),
];

/** What GPU nodes add. */
export const gpuRuntimeClasses: readonly object[] = [
  runtimeClass('nvidia'),
  runtimeClass(
    'kata-qemu-nvidia-gpu',
    {
      overhead: { podFixed: { memory: '10240Mi', cpu: '1' } },
      scheduling: {
        nodeSelector: { 'nvidia.com/gpu.workload.config': 'vm-passthrough' },
        tolerations: [{ key: 'nvidia.com/pgpu', operator: 'Exists', effect: 'NoSchedule' }],
      },
    },
    kataLabels,
  ),
];

/** A runtime that the product does not know: what runs on it is neither secure nor standard. */
export const userspaceRuntimeClass: object = {
  ...runtimeClass('gvisor', { scheduling: { nodeSelector: { 'runtime.cloud.example/gvisor': 'true' } } }),
  handler: 'runsc',
};
