// Starts the control plane that all suites of a run share; see controlplane/README.md.
import { register } from 'node:module';
import { buildPrograms, findPrograms } from './controlplane/programs.mjs';

/** Undefined where the run uses one that somebody else started. */
export let controlPlane;

export default async function start() {
  if (process.env.CONTROL_PLANE) return;
  const { folder, simulated, ready, problem } = findPrograms();
  // `jest.cluster.config.mjs` has told it, and there is nothing to run.
  if (problem !== undefined) return;
  if (!ready) {
    process.stderr.write('\nbuilding the control plane of the tests, once, in about 12 minutes on two cores\n');
    buildPrograms();
  }
  register('./typescript-hooks.mjs', import.meta.url);
  const { startControlPlane } = await import('../support/control-plane.ts');
  controlPlane = await startControlPlane({ programs: folder, simulated });
  process.env.CONTROL_PLANE = controlPlane.folder;
}
