import { Agent } from 'undici';
import { describeApiServer } from '../contract/api-server.js';
import { apiServerAt } from '../contract/http.js';
import { sharedControlPlane, startControlPlane } from '../support/control-plane.js';

describeApiServer('kube-apiserver', async () => {
  // One of its own: others' pasts are not to be forgotten.
  const { programs } = await sharedControlPlane();
  const own = await startControlPlane({ programs });
  const agent = new Agent({ connect: { ca: own.ca } });
  return apiServerAt(own.server, {
    headers: { authorization: `Bearer ${own.tokens.admin}` },
    agent,
    forget: () => own.forget(),
    async close() {
      await agent.destroy();
      await own.stop();
    },
  });
});
