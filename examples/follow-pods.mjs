// Follows pods for as long as it runs: keeps a map of them by the changes of a subscription, and comes back with its cursor when the
// connection is lost, so that nothing is missed and nothing is told twice.
//
//   TOKEN=… node examples/follow-pods.mjs [project…]
//
// GATEWAY_URL is ws://127.0.0.1:4000/graphql unless set.
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const query = `subscription Follow($filter: PodFilter, $after: String) {
  podChanges(filter: $filter, after: $after) {
    type
    cursor
    podId
    pod { name namespaceName clusterName status restarts }
    unavailableClusters { clusterName message staleSince }
  }
}`;

/** Codes by which the gateway says that this client, or who it signs in as, is not wanted as it is. All others are worth another try. */
const final = new Set([4400, 4401, 4403, 4406, 4408, 4429]);

/** See follow-pods.d.mts for what it takes, tells and throws. */
export async function followPods({ url, token, filter, signal, retryMs = 1_000, onChange }) {
  const pods = new Map();
  let after;
  while (!signal.aborted) {
    const client = createClient({
      url,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${token}` },
      retryAttempts: 0,
    });
    const leave = () => void client.terminate();
    signal.addEventListener('abort', leave, { once: true });
    try {
      for await (const { data, errors } of client.iterate({ query, variables: { filter, after } })) {
        if (errors !== undefined) throw errors;
        const { podChanges: change } = data;
        if (change.type === 'ADDED' || change.type === 'MODIFIED') pods.set(change.podId, change.pod);
        else if (change.type === 'DELETED') pods.delete(change.podId);
        else if (change.type === 'RESET') pods.clear();
        after = change.cursor;
        onChange(change, pods);
      }
      return;
    } catch (error) {
      if (signal.aborted) return;
      // A connection that was not to be had is an event of type `error`, and one that is lost has a code; all else is an answer.
      const isLost = error?.type === 'error' || (typeof error?.code === 'number' && !final.has(error.code));
      if (!isLost) throw error;
    } finally {
      signal.removeEventListener('abort', leave);
      void client.dispose();
    }
    await sleep(retryMs, undefined, { signal }).catch(() => undefined);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { TOKEN: token, GATEWAY_URL: url = 'ws://127.0.0.1:4000/graphql' } = process.env;
  if (token === undefined) {
    process.stderr.write('Usage: TOKEN=… node examples/follow-pods.mjs [project…]\n');
    process.exit(2);
  }
  const projects = process.argv.slice(2);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  await followPods({
    url,
    token,
    ...(projects.length > 0 && { filter: { projects } }),
    signal: stop.signal,
    onChange({ type, pod, podId, unavailableClusters }, pods) {
      if (type === 'SYNCED') {
        process.stdout.write(`${pods.size} pods\n`);
        for (const { clusterName, message } of unavailableClusters ?? []) process.stdout.write(`without ${clusterName}: ${message}\n`);
      } else if (type === 'RESET') process.stdout.write('from the beginning\n');
      else process.stdout.write(`${type} ${pod === null ? podId : `${pod.clusterName}/${pod.namespaceName}/${pod.name} ${pod.status}`}\n`);
    },
  });
}
