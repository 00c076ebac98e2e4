import { Agent } from 'undici';
import { apiServerAt } from '../contract/http.js';
import { describeWorkloads } from '../contract/workloads.js';
import { describeSimulated, sharedControlPlane } from '../support/control-plane.js';

describeSimulated('on the shared control plane', () => {
  describeWorkloads('Kubernetes', async () => {
    const controlPlane = await sharedControlPlane();
    const agent = new Agent({ connect: { ca: controlPlane.ca } });
    const server = apiServerAt(controlPlane.server, {
      headers: { authorization: `Bearer ${controlPlane.tokens.admin}` },
      agent,
      forget: () => Promise.reject(new Error('It is shared.')),
      async close() {
        await agent.destroy();
        await controlPlane.stop();
      },
    });
    const { body } = await server.ask('GET', '/api/v1/nodes');
    return {
      ...server,
      ending: (exitCode) => ({
        'simulator.test/run-for': '200ms',
        'simulator.test/exit-code': String(exitCode),
        'simulator.test/crash': 'true',
      }),
      neverReady: { 'simulator.test/not-ready': 'true' },
      nodes: body.items.filter(({ spec }: any) => spec.taints === undefined).map(({ metadata }: any) => metadata.name),
    };
  });
});
