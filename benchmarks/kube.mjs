// A process of the benchmarks: the embedded cluster's API server over many objects that nothing moves but the benchmark itself.
import { subscribe } from 'node:diagnostics_channel';
import { startApiServer } from '../dist/sandbox/api-server.js';
import { MemoryStorage } from '../dist/sandbox/memory-storage.js';
import { deploymentObject, namespaceObject, nodeObject, podObject, podStatus, replicaSetObject } from './objects.mjs';
import { serve } from './processes.mjs';

const { nodes, namespaces, pods } = JSON.parse(process.argv[2]);
const storage = new MemoryStorage({ now: Date.now });

for (let index = 0; index < nodes; index++) {
  const node = nodeObject(index);
  const stored = storage.create('nodes', node);
  storage.update('nodes', { ...stored, status: node.status }, 'status');
}
const replicaSets = Array.from({ length: namespaces }, (_, index) => {
  const namespace = storage.create('namespaces', namespaceObject(index)).metadata.name;
  return storage.create('replicasets.apps', replicaSetObject(storage.create('deployments.apps', deploymentObject(namespace))));
});
for (let index = 0; index < pods; index++) {
  const stored = storage.create('pods', podObject(index, replicaSets[index % namespaces], nodes));
  storage.update('pods', { ...stored, status: podStatus(index, stored) }, 'status');
}

const server = await startApiServer({ storage, now: Date.now, onError: (error) => process.stderr.write(`${error.stack}\n`) });

/** When pods were first asked for since `reset`, and when the first watch of them began: between the two lies a whole list. */
let times = {};
subscribe('http.server.request.start', ({ request }) => {
  if (!request.url.startsWith('/api/v1/pods?')) return;
  if (request.url.includes('watch=')) times.watchedAtMs ??= performance.now();
  else times.listedAtMs ??= performance.now();
});

// Each object is encoded once here, so that who reads first does not wait for it.
for (let next = ''; next !== undefined;) {
  const page = await (await fetch(`${server.url}/api/v1/pods?limit=500${next && `&continue=${next}`}`)).json();
  next = page.metadata.continue;
}

serve({
  ready: { url: server.url },
  reset: () => (times = {}),
  listMs: () => times.watchedAtMs - times.listedAtMs,
  /** Changes one pod of a namespace. */
  touch: ({ namespace, count }) => {
    const [pod] = storage.list('pods', namespace);
    const [first, ...rest] = pod.status.containerStatuses;
    storage.update(
      'pods',
      { ...pod, status: { ...pod.status, containerStatuses: [{ ...first, restartCount: count }, ...rest] } },
      'status',
    );
  },
});
