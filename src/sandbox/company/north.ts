import { kata, kunlun, runtimeClasses, userspaceRuntimeClass, type NodePlan } from './nodes.js';
import {
  cronJob,
  daemonSet,
  day,
  deployment,
  job,
  kubeSystem,
  monitoring,
  pod,
  statefulSet,
  type ClusterPlan,
  type NamespacePlan,
} from './plans.js';

const ageHours = 35 * day;
const kubernetesVersion = 'v1.35.6';

const nodes: readonly NodePlan[] = [
  { name: 'north-master-1', address: '10.20.0.11', isMaster: true, arch: 'arm64', cpu: 8, memoryGi: 32 },
  { name: 'north-master-2', address: '10.20.0.12', isMaster: true, arch: 'arm64', cpu: 8, memoryGi: 32 },
  { name: 'north-master-3', address: '10.20.0.13', isMaster: true, arch: 'arm64', cpu: 8, memoryGi: 32 },
  { name: 'north-arm-1', address: '10.20.1.21', arch: 'arm64', cpu: 32, memoryGi: 128, runtimes: kata },
  { name: 'north-arm-2', address: '10.20.1.22', arch: 'arm64', cpu: 32, memoryGi: 128, runtimes: kata },
  { name: 'north-arm-3', address: '10.20.1.23', arch: 'arm64', cpu: 32, memoryGi: 128 },
  { name: 'north-arm-4', address: '10.20.1.24', arch: 'arm64', cpu: 32, memoryGi: 128 },
  { name: 'north-arm-5', address: '10.20.1.25', arch: 'arm64', cpu: 32, memoryGi: 128 },
  { name: 'north-kata-1', address: '10.20.1.31', cpu: 32, memoryGi: 128, runtimes: kata },
  { name: 'north-kata-2', address: '10.20.1.32', cpu: 32, memoryGi: 128, runtimes: kata },
  { name: 'north-worker-1', address: '10.20.1.41', cpu: 16, memoryGi: 64, runtimes: ['runsc'] },
  { name: 'north-xpu-1', address: '10.20.2.51', cpu: 48, memoryGi: 256, accelerator: kunlun },
];

const onArm = { nodeSelector: { 'kubernetes.io/arch': 'arm64' } };
const xpu = ['baidu.com/xpu'];

const namespaces: readonly NamespacePlan[] = [
  {
    name: 'shop-prod',
    project: 'p-shop',
    ageHours: 33 * day,
    workloads: [
      deployment('storefront', 'shop/storefront:3.12.3', 33 * day, {
        replicas: 4,
        cpu: '500m',
        memory: '512Mi',
        runtime: 'kata-qemu',
        port: 8080,
        steering: { 'ready-seconds': 8 },
        autoscaled: { min: 3, max: 8 },
      }),
      deployment('cart', 'shop/cart:2.4.1', 33 * day, { replicas: 3, cpu: '300m', memory: '384Mi', runtime: 'kata-clh', port: 8080 }),
      deployment('checkout', 'shop/checkout:4.8.3', 33 * day, {
        replicas: 4,
        cpu: '500m',
        memory: '512Mi',
        runtime: 'kata-qemu',
        port: 8443,
      }),
      deployment('catalog', 'shop/catalog:1.30.0', 33 * day, { replicas: 3, cpu: '250m', memory: '512Mi', port: 8080 }),
      statefulSet('redis-cart', 'middleware/redis:7.4.6', 33 * day, {
        replicas: 3,
        cpu: '200m',
        memory: '1Gi',
        port: 6379,
        disk: { sizeGi: 20, storageClass: 'performance' },
      }),
      cronJob('order-reconcile', 'shop/reconcile:1.4.0', 33 * day, { schedule: '*/2 * * * *', steering: { 'run-seconds': 25 } }),
    ],
  },
  {
    name: 'member-prod',
    project: 'p-member',
    ageHours: 33 * day,
    workloads: [
      deployment('account', 'member/account:5.1.4', 32 * day, {
        replicas: 3,
        cpu: '300m',
        memory: '512Mi',
        runtime: 'kata-qemu',
        port: 8080,
      }),
      deployment('login', 'member/login:5.1.3', 32 * day, { replicas: 3, cpu: '200m', memory: '256Mi', runtime: 'kata-clh', port: 8443 }),
      statefulSet('redis-session', 'middleware/redis:7.4.6', 32 * day, { replicas: 3, memory: '512Mi', port: 6379 }),
    ],
  },
  {
    name: 'warehouse',
    project: 'p-logistics',
    ageHours: 31 * day,
    workloads: [
      deployment('wms', 'warehouse/wms:9.3.0', 31 * day, {
        replicas: 6,
        cpu: '500m',
        memory: '1Gi',
        port: 8080,
        ...onArm,
        steering: { 'ready-seconds': 40 },
        spec: { minReadySeconds: 20, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } },
      }),
      deployment('picking', 'warehouse/picking:2.2.1', 31 * day, { replicas: 4, cpu: '250m', memory: '512Mi', port: 8080, ...onArm }),
      deployment('label-printer', 'warehouse/label-printer:1.0.8', 24 * day, { replicas: 2, port: 9100, ...onArm }),
      deployment('robot-gateway', 'warehouse/robot-gateway:0.7.0', 9, { replicas: 2, port: 8883, ...onArm }),
      statefulSet('mysql-wms', 'middleware/mysql:8.4.6', 31 * day, {
        replicas: 3,
        cpu: '1',
        memory: '4Gi',
        port: 3306,
        ...onArm,
        disk: { sizeGi: 200, storageClass: 'performance' },
        steering: { 'ready-seconds': 20 },
      }),
      cronJob('stock-sync', 'warehouse/stock-sync:1.6.3', 31 * day, { schedule: '*/1 * * * *', steering: { 'run-seconds': 20 } }),
      cronJob('inventory', 'warehouse/inventory:2.0.0', 31 * day, { schedule: '0 4 * * *', steering: { 'run-seconds': 1500 } }),
      daemonSet('scanner-agent', 'warehouse/scanner-agent:3.1.0', 20 * day, { memory: '64Mi', ...onArm }),
    ],
  },
  {
    name: 'settlement-standby',
    project: 'p-settlement',
    ageHours: 28 * day,
    workloads: [
      deployment('ledger', 'finance/ledger:7.2.0', 28 * day, { cpu: '500m', memory: '1Gi', runtime: 'kata-qemu', port: 8443 }),
      statefulSet('postgres-ledger', 'middleware/postgresql:17.6', 28 * day, {
        cpu: '1',
        memory: '4Gi',
        runtime: 'kata-qemu',
        port: 5432,
        disk: { sizeGi: 500, storageClass: 'performance' },
      }),
      cronJob('restore-drill', 'finance/restore-drill:1.1.0', 28 * day, {
        schedule: '0 5 * * *',
        runtime: 'kata-qemu',
        steering: { 'run-seconds': 900 },
      }),
    ],
  },
  {
    name: 'data-stream',
    project: 'p-lake',
    ageHours: 26 * day,
    workloads: [
      deployment('flink-jobmanager', 'stream/flink:2.1.0', 25 * day, { cpu: '500m', memory: '2Gi', port: 8081, ...onArm }),
      deployment('flink-taskmanager', 'stream/flink:2.1.0', 25 * day, { replicas: 8, cpu: '2', memory: '4Gi', ...onArm }),
      deployment('kafka-connect', 'stream/kafka-connect:4.1.0', 25 * day, {
        replicas: 3,
        cpu: '500m',
        memory: '1Gi',
        port: 8083,
        steering: { 'crash-after-seconds': 9 * 3600, 'crash-times': 1 },
      }),
      statefulSet('kafka', 'middleware/kafka:4.1.0', 25 * day, {
        replicas: 3,
        cpu: '500m',
        memory: '2Gi',
        port: 9092,
        disk: { sizeGi: 300, storageClass: 'capacity' },
      }),
      cronJob('lag-report', 'stream/lag-report:0.5.1', 25 * day, { schedule: '*/2 * * * *', steering: { 'run-seconds': 15 } }),
      job('reindex-2026-10', 'stream/reindex:1.0.0', 20, {
        replicas: 4,
        cpu: '500m',
        memory: '1Gi',
        steering: { 'run-seconds': 3 * day * 3600 },
      }),
    ],
  },
  {
    name: 'vision-edge',
    project: 'p-vision',
    ageHours: 14 * day,
    workloads: [
      deployment('quality-check', 'vision/quality-check:1.0.4', 13 * day, {
        replicas: 3,
        cpu: '4',
        memory: '16Gi',
        devices: { 'baidu.com/xpu': 2 },
        tolerates: xpu,
        port: 8001,
      }),
      job('benchmark-r200', 'vision/benchmark:0.2.0', 5 * day, {
        devices: { 'baidu.com/xpu': 1 },
        tolerates: xpu,
        steering: { 'run-seconds': 2400 },
      }),
    ],
  },
  {
    name: 'playground',
    ageHours: 10 * day,
    workloads: [
      deployment('sandbox-shell', 'tools/shell:1.0.0', 10 * day, { runtime: 'gvisor' }),
      pod('network-debug', 'tools/netshoot:0.14', 3),
    ],
  },
];

/** 华北二: warehouses and streams, most of it on Arm, and one node with Kunlun devices. */
export const north: ClusterPlan = {
  name: 'north',
  displayName: '华北二',
  region: 'cn-north-2',
  kubernetesVersion,
  ageHours,
  nodes,
  runtimeClasses: [...runtimeClasses, userspaceRuntimeClass],
  namespaces: [
    kubeSystem({ ageHours, kubernetesVersion }, [
      daemonSet('xpu-device-plugin', 'system/xpu-device-plugin:1.0.0', 14 * day, {
        nodeSelector: { 'accelerator.cloud.example/vendor': 'kunlun' },
        tolerates: ['*'],
      }),
    ]),
    monitoring(34 * day),
    ...namespaces,
  ],
  past: [
    { hoursAgo: 19 * day, act: (hands) => hands.release('warehouse/wms', '9.3.1') },
    { hoursAgo: 11 * day, act: (hands) => hands.release('shop-prod/storefront', '3.12.4') },
    { hoursAgo: 4 * day, act: (hands) => hands.redeploy('data-stream/kafka-connect') },
    // It cannot reach the robots, and gives up each time.
    { hoursAgo: 2, act: (hands) => hands.release('warehouse/robot-gateway', '0.7.1', { 'crash-after-seconds': 30, 'exit-code': 3 }) },
    { hoursAgo: 2 * day, act: (hands) => hands.stop('warehouse/label-printer') },
    { hoursAgo: 7 * day, act: (hands) => hands.suspend('settlement-standby/restore-drill') },
    { hoursAgo: 0.6, act: (hands) => hands.loseNode('north-arm-5') },
  ],
  life: {
    releases: { deployment: 'warehouse/wms', versions: ['9.3.2', '9.3.3', '9.3.4'], everySeconds: 530 },
    redeployed: ['warehouse/picking', 'data-stream/kafka-connect', 'member-prod/login'],
    shaken: [
      'shop-prod/cart',
      'shop-prod/catalog',
      'warehouse/picking',
      'member-prod/account',
      'shop-prod/redis-cart',
      'data-stream/flink-taskmanager',
    ],
    scaled: [
      { deployment: 'shop-prod/storefront', min: 3, max: 8 },
      { deployment: 'data-stream/flink-taskmanager', min: 6, max: 10 },
    ],
    jobs: [
      { namespace: 'data-stream', workload: job('replay', 'stream/replay:1.0.0', 0, { replicas: 2, steering: { 'run-seconds': 70 } }) },
      {
        namespace: 'warehouse',
        workload: job('stock-count', 'warehouse/inventory:2.0.0', 0, { ...onArm, steering: { 'run-seconds': 45 } }),
      },
    ],
  },
};
