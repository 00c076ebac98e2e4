#!/usr/bin/env node
// A control plane to try things on, or to run suites against again and again: it stays until Ctrl-C.
import { register } from 'node:module';
import { buildPrograms, findPrograms } from './programs.mjs';

const { folder, simulated, ready, problem } = findPrograms();
if (problem !== undefined) {
  console.error(problem);
  process.exit(1);
}
if (!ready) buildPrograms();
register('../typescript-hooks.mjs', import.meta.url);
const { startControlPlane } = await import('../../support/control-plane.ts');
const controlPlane = await startControlPlane({ programs: folder, simulated });
console.log(`export KUBECONFIG=${controlPlane.kubeconfig}       # for kubectl, which is in ${folder}`);
console.log(`export CONTROL_PLANE=${controlPlane.folder}        # for npm run test:cluster`);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => controlPlane.stop());
