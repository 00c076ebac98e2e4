import { startSandbox } from '../../src/sandbox/cluster.js';
import { apiServerAt } from './http.js';
import { describeWorkloads } from './workloads.js';

const nodes = ['node-1', 'node-2', 'node-3'];

const node = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  status: { capacity: { cpu: '8', memory: '16Gi', pods: '110' }, allocatable: { cpu: '8', memory: '16Gi', pods: '110' } },
});

describeWorkloads('The embedded cluster', async () => {
  const sandbox = await startSandbox({
    now: Date.now,
    // Minutes of a timetable pass in seconds.
    speed: 10,
    objects: nodes.map(node),
    onError: (error) => {
      throw error;
    },
  });
  return {
    ...apiServerAt(sandbox.url, { forget: () => Promise.reject(new Error('Nothing here wants it.')), close: () => sandbox.close() }),
    ending: (exitCode) => ({ 'sandbox.openstack.org/run-seconds': '2', 'sandbox.openstack.org/exit-code': String(exitCode) }),
    neverReady: { 'sandbox.openstack.org/ready-seconds': 'never' },
    nodes,
  };
});
