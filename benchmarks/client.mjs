// The clients that the runner is: as many requests as fit, or a thousand sockets that listen.
import { Pool } from 'undici';
import WebSocket from 'ws';
import { cpuMs } from './processes.mjs';

const connections = 8;

export const median = (values) => [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)];

/** Sends the same request for so long, by eight connections. @returns answers a second, and the server's CPU per answer in milliseconds */
export async function load({ url, pid, body, headers }, durationMs) {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections, pipelining: 1 });
  const request = { path: pathname, method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } };
  let answers = 0;
  let size;
  const before = cpuMs(pid);
  const start = performance.now();
  const end = start + durationMs;
  const one = async () => {
    while (performance.now() < end) {
      const response = await pool.request(request);
      let bytes = 0;
      for await (const chunk of response.body) bytes += chunk.length;
      if (response.statusCode !== 200) throw new Error(`${url} answered ${response.statusCode}`);
      size ??= bytes;
      answers += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, one));
  const seconds = (performance.now() - start) / 1_000;
  await pool.close();
  return { perSecond: answers / seconds, cpuMs: (cpuMs(pid) - before) / answers, bytes: size };
}

/** One answer as it is. @throws Error where it has errors */
export async function ask({ url, body, headers }) {
  const response = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
  const answer = await response.json();
  if (answer.errors !== undefined) throw new Error(JSON.stringify(answer.errors[0]));
  return answer;
}

/** Sockets that listen: to a subscription, or, without `asked`, to whatever a server sends. */
export class Listeners {
  #sockets;
  #received = 0;
  #awaited = { count: Infinity, resolve: () => undefined };
  #last;

  /** Resolves when each has its snapshot. Messages that hold `marker` are counted. */
  static async open(url, count, marker, asked) {
    const listeners = new Listeners();
    const open = () =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws', { perMessageDeflate: false });
        const say = (message) => socket.send(JSON.stringify(message));
        socket.once('error', reject);
        socket.once('close', (code) => reject(new Error(`a socket was closed with ${code}`)));
        socket.once('open', () => (asked === undefined ? resolve(socket) : say({ type: 'connection_init', payload: asked.headers })));
        socket.on('message', (data) => {
          if (data.includes(marker)) listeners.#receive(data);
          else if (data.includes('"connection_ack"')) say({ id: '1', type: 'subscribe', payload: { query: asked.query } });
          else if (data.includes('"SYNCED"')) resolve(socket);
          else if (data.includes('"errors"') || data.includes('"error"')) reject(new Error(data.toString('utf8')));
        });
      });
    listeners.#sockets = await Promise.all(Array.from({ length: count }, open));
    return listeners;
  }

  /** The last message that was counted. */
  get last() {
    return this.#last.toString('utf8');
  }

  /** Resolves when each socket got one more message. */
  async all(action) {
    const done = new Promise((resolve) => (this.#awaited = { count: this.#received + this.#sockets.length, resolve }));
    await action();
    await done;
  }

  close() {
    for (const socket of this.#sockets) socket.removeAllListeners('close').terminate();
  }

  #receive(data) {
    this.#last = data;
    this.#received += 1;
    if (this.#received >= this.#awaited.count) this.#awaited.resolve();
  }
}
