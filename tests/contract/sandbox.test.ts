import { startSandbox } from '../../src/sandbox/cluster.js';
import { describeApiServer } from './api-server.js';
import { apiServerAt } from './http.js';

const maxHistory = 200;

describeApiServer('The embedded cluster', async () => {
  const sandbox = await startSandbox({
    now: Date.now,
    maxHistory,
    onError: (error) => {
      throw error;
    },
  });
  return apiServerAt(sandbox.url, {
    // It keeps so many writes of each kind, and no more.
    async forget() {
      for (let index = 0; index < 2 * maxHistory + 1; index += 1) {
        await sandbox.create([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'default', generateName: 'noise-' } }]);
      }
    },
    close: () => sandbox.close(),
  });
});
