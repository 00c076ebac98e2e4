import { gpuRuntimeClasses, kata, runtimeClasses, t4, t4Passthrough, t4Shared, v100, type NodePlan } from './nodes.js';
import {
  cronJob,
  daemonSet,
  day,
  deployment,
  job,
  kubeSystem,
  monitoring,
  statefulSet,
  type ClusterPlan,
  type NamespacePlan,
} from './plans.js';

const ageHours = 62 * day;
const kubernetesVersion = 'v1.36.3';

const nodes: readonly NodePlan[] = [
  { name: 'east-master-1', address: '10.10.0.11', isMaster: true, cpu: 8, memoryGi: 32 },
  { name: 'east-master-2', address: '10.10.0.12', isMaster: true, cpu: 8, memoryGi: 32 },
  { name: 'east-master-3', address: '10.10.0.13', isMaster: true, cpu: 8, memoryGi: 32 },
  { name: 'east-kata-1', address: '10.10.1.21', cpu: 32, memoryGi: 128, runtimes: kata },
  { name: 'east-kata-2', address: '10.10.1.22', cpu: 32, memoryGi: 128, runtimes: kata },
  { name: 'east-kata-3', address: '10.10.1.23', cpu: 32, memoryGi: 128, runtimes: kata },
  { name: 'east-worker-1', address: '10.10.1.31', cpu: 16, memoryGi: 64 },
  { name: 'east-worker-2', address: '10.10.1.32', cpu: 16, memoryGi: 64 },
  { name: 'east-worker-3', address: '10.10.1.33', cpu: 16, memoryGi: 64 },
  { name: 'east-worker-4', address: '10.10.1.34', cpu: 16, memoryGi: 64 },
  { name: 'east-gpu-v100-1', address: '10.10.2.41', cpu: 48, memoryGi: 256, accelerator: v100 },
  { name: 'east-gpu-v100-2', address: '10.10.2.42', cpu: 48, memoryGi: 256, accelerator: v100 },
  { name: 'east-gpu-t4-1', address: '10.10.2.51', cpu: 32, memoryGi: 128, accelerator: t4 },
  { name: 'east-gpu-t4-2', address: '10.10.2.52', cpu: 32, memoryGi: 128, accelerator: t4Shared },
  { name: 'east-gpu-kata-1', address: '10.10.2.61', cpu: 32, memoryGi: 128, runtimes: kata, accelerator: t4Passthrough },
];

const gpu = ['nvidia.com/gpu'];

const shop: readonly NamespacePlan[] = [
  {
    name: 'shop-prod',
    project: 'p-shop',
    ageHours: 58 * day,
    workloads: [
      deployment('storefront', 'shop/storefront:3.12.4', 57 * day, {
        replicas: 6,
        cpu: '500m',
        memory: '512Mi',
        runtime: 'kata-qemu',
        port: 8080,
        steering: { 'ready-seconds': 8 },
        autoscaled: { min: 4, max: 12 },
      }),
      deployment('cart', 'shop/cart:2.4.1', 57 * day, { replicas: 4, cpu: '300m', memory: '384Mi', runtime: 'kata-clh', port: 8080 }),
      deployment('checkout', 'shop/checkout:4.8.2', 57 * day, {
        replicas: 8,
        cpu: '500m',
        memory: '512Mi',
        runtime: 'kata-qemu',
        port: 8443,
        steering: { 'ready-seconds': 50 },
        spec: { minReadySeconds: 30, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } },
      }),
      deployment('catalog', 'shop/catalog:1.30.0', 56 * day, { replicas: 4, cpu: '250m', memory: '512Mi', port: 8080 }),
      deployment('search', 'shop/search:2.0.7', 41 * day, {
        replicas: 3,
        cpu: '500m',
        memory: '1Gi',
        port: 9200,
        init: 'shop/search-index:2.0.7',
      }),
      deployment('coupon', 'shop/coupon:1.8.0', 33 * day, { replicas: 3, port: 8080 }),
      deployment('image-resize', 'shop/image-resize:0.9.3', 20 * day, { replicas: 2, cpu: '500m', memory: '256Mi' }),
      deployment('gift-card', 'shop/gift-card:1.2.5', 44 * day, { replicas: 3, runtime: 'kata-clh', port: 8080 }),
      statefulSet('redis-cart', 'middleware/redis:7.4.6', 57 * day, {
        replicas: 3,
        cpu: '200m',
        memory: '1Gi',
        port: 6379,
        disk: { sizeGi: 20, storageClass: 'performance' },
      }),
      statefulSet('mysql-order', 'middleware/mysql:8.4.6', 57 * day, {
        replicas: 3,
        cpu: '1',
        memory: '4Gi',
        runtime: 'kata-qemu',
        port: 3306,
        disk: { sizeGi: 200, storageClass: 'performance' },
        steering: { 'ready-seconds': 20 },
      }),
      cronJob('order-reconcile', 'shop/reconcile:1.4.0', 50 * day, { schedule: '*/2 * * * *', steering: { 'run-seconds': 25 } }),
      cronJob('sitemap', 'shop/sitemap:1.0.9', 50 * day, { schedule: '0 3 * * *', steering: { 'run-seconds': 300 } }),
      cronJob('promotion-report', 'shop/report:2.2.0', 38 * day, { schedule: '30 8 * * *', steering: { 'run-seconds': 120 } }),
      job('migrate-orders-v42', 'shop/migrate:4.2.0', 6 * day, { runtime: 'kata-qemu', steering: { 'run-seconds': 840 } }),
    ],
  },
  {
    name: 'shop-test',
    project: 'p-shop',
    ageHours: 30 * day,
    workloads: [
      deployment('storefront', 'shop/storefront:3.13.0-beta2', 2 * day, { port: 8080 }),
      deployment('checkout', 'shop/checkout:4.8.2', 29 * day, { replicas: 2, port: 8443 }),
      deployment('cart', 'shop/cart:2.5.0-rc1', 5 * day, { port: 8080 }),
      statefulSet('mysql-order', 'middleware/mysql:8.4.6', 29 * day, {
        cpu: '500m',
        memory: '1Gi',
        port: 3306,
        disk: { sizeGi: 20, storageClass: 'capacity' },
      }),
      cronJob('e2e', 'shop/e2e:4.9.0', 12 * day, { schedule: '*/30 * * * *', steering: { 'run-seconds': 420 } }),
      job('load-test', 'shop/load-test:0.4.1', 9, {
        replicas: 3,
        steering: { 'run-seconds': 45, 'exit-code': 2 },
        spec: { backoffLimit: 2 },
      }),
    ],
  },
];

const member: NamespacePlan = {
  name: 'member-prod',
  project: 'p-member',
  ageHours: 55 * day,
  workloads: [
    deployment('account', 'member/account:5.1.3', 54 * day, {
      replicas: 4,
      cpu: '300m',
      memory: '512Mi',
      runtime: 'kata-qemu',
      port: 8080,
    }),
    deployment('login', 'member/login:5.1.3', 54 * day, {
      replicas: 4,
      cpu: '200m',
      memory: '256Mi',
      runtime: 'kata-clh',
      port: 8443,
      autoscaled: { min: 3, max: 8 },
    }),
    deployment('points', 'member/points:2.7.0', 31 * day, { replicas: 2, port: 8080 }),
    deployment('message-push', 'member/message-push:1.11.2', 17 * day, {
      replicas: 3,
      cpu: '200m',
      memory: '256Mi',
      steering: { 'crash-after-seconds': 5 * 3600, 'crash-times': 2 },
    }),
    statefulSet('redis-session', 'middleware/redis:7.4.6', 54 * day, { replicas: 3, memory: '512Mi', port: 6379 }),
    cronJob('session-clean', 'member/session-clean:1.0.2', 54 * day, { schedule: '*/1 * * * *', steering: { 'run-seconds': 12 } }),
    cronJob('birthday-coupon', 'member/birthday:1.3.0', 40 * day, { schedule: '0 9 * * *', steering: { 'run-seconds': 95 } }),
  ],
};

const logistics: NamespacePlan = {
  name: 'logistics-prod',
  project: 'p-logistics',
  ageHours: 48 * day,
  workloads: [
    deployment('dispatch', 'logistics/dispatch:6.0.1', 47 * day, { replicas: 4, cpu: '500m', memory: '512Mi', port: 8080 }),
    deployment('route-planner', 'logistics/route-planner:2.3.0', 47 * day, {
      replicas: 3,
      cpu: '1',
      memory: '2Gi',
      init: 'logistics/map-tiles:2026.10',
      port: 8080,
    }),
    deployment('tracking', 'logistics/tracking:3.4.9', 26 * day, {
      replicas: 5,
      cpu: '200m',
      memory: '256Mi',
      port: 8080,
      steering: { 'crash-after-seconds': 2 * day * 3600, 'crash-times': 1 },
    }),
    deployment('driver-api', 'logistics/driver-api:1.19.0', 26 * day, {
      replicas: 4,
      cpu: '250m',
      memory: '384Mi',
      runtime: 'kata-clh',
      port: 8443,
    }),
    statefulSet('kafka', 'middleware/kafka:4.1.0', 47 * day, {
      replicas: 3,
      cpu: '500m',
      memory: '2Gi',
      port: 9092,
      disk: { sizeGi: 100, storageClass: 'performance' },
    }),
    daemonSet('edge-cache', 'logistics/edge-cache:1.1.0', 15 * day, {
      memory: '256Mi',
      nodeSelector: { 'node-role.kubernetes.io/worker': '' },
    }),
    cronJob('eta-train', 'logistics/eta-train:0.8.2', 26 * day, {
      schedule: '15 * * * *',
      cpu: '1',
      memory: '2Gi',
      steering: { 'run-seconds': 540 },
    }),
  ],
};

const settlement: NamespacePlan = {
  name: 'settlement',
  project: 'p-settlement',
  ageHours: 52 * day,
  workloads: [
    deployment('ledger', 'finance/ledger:7.2.0', 51 * day, { replicas: 3, cpu: '500m', memory: '1Gi', runtime: 'kata-qemu', port: 8443 }),
    deployment('invoice', 'finance/invoice:3.0.4', 51 * day, { replicas: 2, runtime: 'kata-qemu', port: 8080 }),
    deployment('bank-gateway', 'finance/bank-gateway:2.6.1', 51 * day, {
      replicas: 2,
      cpu: '250m',
      memory: '512Mi',
      runtime: 'kata-qemu',
      port: 8443,
    }),
    // Its memory leaks: it is killed now and then, and nobody has found out why.
    deployment('report-builder', 'finance/report-builder:1.5.2', 13, {
      memory: '768Mi',
      port: 8080,
      steering: { 'oom-after-seconds': 2700 },
    }),
    statefulSet('postgres-ledger', 'middleware/postgresql:17.6', 51 * day, {
      replicas: 2,
      cpu: '1',
      memory: '4Gi',
      runtime: 'kata-qemu',
      port: 5432,
      disk: { sizeGi: 500, storageClass: 'performance' },
    }),
    cronJob('daily-settle', 'finance/settle:4.4.0', 45 * day, {
      schedule: '0 1 * * *',
      runtime: 'kata-qemu',
      steering: { 'run-seconds': 1260 },
    }),
  ],
};

const vision: readonly NamespacePlan[] = [
  {
    name: 'vision-train',
    project: 'p-vision',
    ageHours: 36 * day,
    workloads: [
      job('train-detector', 'vision/train:1.6.0', 30, {
        replicas: 2,
        cpu: '8',
        memory: '48Gi',
        devices: { 'nvidia.com/gpu': 2 },
        tolerates: gpu,
        nodeSelector: { 'kubernetes.io/hostname': 'east-gpu-v100-1' },
        steering: { 'run-seconds': 14 * day * 3600 },
      }),
      job('train-classifier', 'vision/train:1.6.0', 2 * day, {
        cpu: '4',
        memory: '24Gi',
        devices: { 'nvidia.com/gpu': 1 },
        tolerates: gpu,
        steering: { 'run-seconds': 95, 'exit-code': 1 },
        spec: { backoffLimit: 3 },
      }),
      job('export-labels', 'vision/export:1.2.0', 4 * day, { steering: { 'run-seconds': 610 } }),
      // Wants more devices than the cluster has left: what does not fit waits.
      deployment('finetune', 'vision/finetune:0.3.0', 11, {
        replicas: 3,
        cpu: '8',
        memory: '64Gi',
        devices: { 'nvidia.com/gpu': 4 },
        tolerates: gpu,
        nodeSelector: { 'nvidia.com/gpu.family': 'volta' },
        spec: { progressDeadlineSeconds: 7 * day * 3600 },
      }),
      deployment('notebook', 'vision/notebook:4.3.1', 19 * day, {
        replicas: 3,
        cpu: '2',
        memory: '8Gi',
        devices: { 'nvidia.com/gpu.shared': 1 },
        tolerates: gpu,
        port: 8888,
      }),
    ],
  },
  {
    name: 'vision-serving',
    project: 'p-vision',
    ageHours: 34 * day,
    workloads: [
      deployment('ocr', 'vision/ocr:2.1.0', 33 * day, {
        replicas: 2,
        cpu: '2',
        memory: '8Gi',
        devices: { 'nvidia.com/gpu': 1 },
        tolerates: gpu,
        nodeSelector: { 'nvidia.com/gpu.product': 'Tesla-T4' },
        port: 8001,
      }),
      deployment('face-verify', 'vision/face-verify:1.4.2', 12 * day, {
        replicas: 1,
        cpu: '2',
        memory: '8Gi',
        devices: { 'nvidia.com/pgpu': 1 },
        runtime: 'kata-qemu-nvidia-gpu',
        port: 8001,
      }),
      deployment('api', 'vision/api:3.2.0', 33 * day, { replicas: 3, cpu: '250m', memory: '256Mi', runtime: 'kata-clh', port: 8443 }),
    ],
  },
];

const lake: NamespacePlan = {
  name: 'data-lake',
  project: 'p-lake',
  ageHours: 50 * day,
  workloads: [
    deployment('trino-coordinator', 'lake/trino:478', 49 * day, { cpu: '1', memory: '4Gi', port: 8080 }),
    deployment('trino-worker', 'lake/trino:478', 49 * day, {
      replicas: 4,
      cpu: '2',
      memory: '8Gi',
      steering: { 'oom-after-seconds': day * 3600, 'crash-times': 3 },
    }),
    deployment('hive-metastore', 'lake/hive-metastore:4.1.0', 49 * day, { replicas: 2, cpu: '500m', memory: '1Gi', port: 9083 }),
    deployment('superset', 'lake/superset:5.0.0', 22 * day, { replicas: 2, cpu: '250m', memory: '1Gi', port: 8088 }),
    statefulSet('object-store', 'lake/object-store:2026.9', 49 * day, {
      replicas: 4,
      cpu: '500m',
      memory: '2Gi',
      port: 9000,
      disk: { sizeGi: 1000, storageClass: 'capacity' },
    }),
    cronJob('etl-orders', 'lake/etl:3.9.1', 49 * day, {
      schedule: '*/5 * * * *',
      cpu: '500m',
      memory: '1Gi',
      steering: { 'run-seconds': 75 },
    }),
    cronJob('compaction', 'lake/compaction:1.2.2', 49 * day, { schedule: '40 * * * *', steering: { 'run-seconds': 700 } }),
  ],
};

/** 华东一: shops and everything with GPUs. */
export const east: ClusterPlan = {
  name: 'east',
  displayName: '华东一',
  region: 'cn-east-1',
  kubernetesVersion,
  ageHours,
  nodes,
  runtimeClasses: [...runtimeClasses, ...gpuRuntimeClasses],
  namespaces: [
    kubeSystem({ ageHours, kubernetesVersion }, [
      daemonSet('nvidia-device-plugin', 'system/nvidia-device-plugin:v0.17.4', 40 * day, {
        nodeSelector: { 'nvidia.com/gpu.present': 'true' },
        tolerates: ['*'],
      }),
    ]),
    monitoring(61 * day),
    ...shop,
    member,
    logistics,
    settlement,
    ...vision,
    lake,
  ],
  past: [
    { hoursAgo: 21 * day, act: (hands) => hands.release('shop-prod/storefront', '3.12.3') },
    { hoursAgo: 9 * day, act: (hands) => hands.release('shop-prod/storefront', '3.12.4') },
    { hoursAgo: 13 * day, act: (hands) => hands.release('shop-prod/checkout', '4.8.3') },
    { hoursAgo: 30 * day, act: (hands) => hands.release('member-prod/account', '5.1.4') },
    { hoursAgo: 8 * day, act: (hands) => hands.release('logistics-prod/tracking', '3.5.0') },
    { hoursAgo: 6 * day, act: (hands) => hands.redeploy('data-lake/trino-worker') },
    // The new version starts, and fails as soon as it is asked something.
    { hoursAgo: 3, act: (hands) => hands.release('shop-prod/coupon', '1.9.0', { 'crash-after-seconds': 20, 'exit-code': 1 }) },
    // Nobody has pushed that image.
    { hoursAgo: 4, act: (hands) => hands.release('shop-test/checkout', '4.9.0-rc3', { 'pull-seconds': 'never' }) },
    { hoursAgo: 3 * day, act: (hands) => hands.stop('shop-prod/gift-card') },
    { hoursAgo: 16 * day, act: (hands) => hands.suspend('shop-prod/promotion-report') },
    { hoursAgo: 5, act: (hands) => hands.cordon('east-worker-4') },
  ],
  life: {
    releases: { deployment: 'shop-prod/checkout', versions: ['4.8.4', '4.8.5', '4.8.6'], everySeconds: 1040 },
    redeployed: ['shop-prod/image-resize', 'member-prod/points', 'data-lake/superset', 'logistics-prod/dispatch'],
    shaken: [
      'shop-prod/cart',
      'shop-prod/catalog',
      'member-prod/message-push',
      'logistics-prod/driver-api',
      'shop-prod/redis-cart',
      'vision-serving/api',
    ],
    scaled: [
      { deployment: 'shop-prod/storefront', min: 4, max: 12 },
      { deployment: 'member-prod/login', min: 3, max: 8 },
      { deployment: 'data-lake/trino-worker', min: 3, max: 6 },
    ],
    jobs: [
      { namespace: 'shop-prod', workload: job('export-orders', 'shop/export:1.1.0', 0, { steering: { 'run-seconds': 50 } }) },
      { namespace: 'data-lake', workload: job('backfill', 'lake/etl:3.9.1', 0, { replicas: 3, steering: { 'run-seconds': 80 } }) },
      {
        namespace: 'settlement',
        workload: job('re-check', 'finance/settle:4.4.0', 0, { runtime: 'kata-qemu', steering: { 'run-seconds': 40 } }),
      },
    ],
  },
};
