// Where the programs of the test control plane come from.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const buildScript = fileURLToPath(new URL('./build.sh', import.meta.url));
const apiPrograms = ['etcd', 'kube-apiserver', 'kubectl'];
const allPrograms = [...apiPrograms, 'kube-controller-manager', 'kube-scheduler', 'kwok', 'metrics-server'];

const isExecutable = (path) => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};
const missingIn = (folder, programs) => programs.filter((program) => !isExecutable(join(folder, program)));

/**
 * @returns `{ folder, simulated, ready }`, or `{ problem }` where there are none and none can be built. `simulated`: nodes, pods and metrics are too, not
 *   only the API server. Not `ready`: they are built first, in about 12 minutes.
 */
export function findPrograms(env = process.env) {
  const assets = env.KUBEBUILDER_ASSETS;
  if (assets) {
    const missing = missingIn(assets, apiPrograms);
    if (missing.length > 0) return { problem: `KUBEBUILDER_ASSETS names a folder without ${missing.join(', ')}` };
    return { folder: assets, simulated: missingIn(assets, allPrograms).length === 0, ready: true };
  }
  const { stdout, status } = spawnSync(buildScript, ['--folder'], { encoding: 'utf8', env });
  if (status !== 0) return { problem: 'tests/cluster/controlplane/build.sh cannot run here (it needs bash)' };
  const folder = stdout.trim();
  if (missingIn(folder, allPrograms).length === 0) return { folder, simulated: true, ready: true };
  if (spawnSync('go', ['version'], { env }).status === 0) return { folder, simulated: true, ready: false };
  return { problem: 'neither Go is installed (1.26.4 or newer) nor does KUBEBUILDER_ASSETS name a folder of programs' };
}

/** Builds what is missing; tells how far it is on standard error. */
export function buildPrograms() {
  const { status } = spawnSync(buildScript, [], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`tests/cluster/controlplane/build.sh failed (${status})`);
}
