// Processes that the benchmarks are made of, and what they cost.
import { fork, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** In a process of its own: answers calls of its parent, each by the method of that name, once `ready` was told. */
export function serve({ ready, ...methods }) {
  process.on('message', ({ id, method, argument }) => {
    Promise.resolve(methods[method](argument)).then(
      (value) => process.send({ id, value }),
      (error) => process.send({ id, error: error.stack }),
    );
  });
  process.on('disconnect', () => process.exit());
  process.send({ id: 0, value: ready });
}

/** Starts a module of this folder as a process. `ready` is what it told; `call` asks it. */
export async function start(module, argument) {
  const child = fork(fileURLToPath(new URL(module, import.meta.url)), [JSON.stringify(argument ?? null)]);
  const waiting = new Map();
  let calls = 0;
  const answered = (id) => new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  child.on('message', ({ id, value, error }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) resolve(value);
    else reject(new Error(error));
  });
  child.on('exit', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`${module} ended with ${code}`));
  });
  const ready = await answered(0);
  return {
    ready,
    pid: child.pid,
    call(method, given) {
      child.send({ id: ++calls, method, argument: given });
      return answered(calls);
    },
    async stop() {
      child.disconnect();
      await new Promise((resolve) => (child.exitCode === null ? child.once('exit', resolve) : resolve()));
    },
  };
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts the gateway as `npm start` does, and waits until its clusters are synced. */
export async function startGateway(configFile) {
  const [port, managementPort] = [await freePort(), await freePort()];
  const env = {
    ...process.env,
    NODE_ENV: 'production',
    CONFIG_FILE: configFile,
    PORT: String(port),
    MANAGEMENT_PORT: String(managementPort),
  };
  const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const kill = () => child.kill();
  process.once('exit', kill);
  const isReady = () =>
    fetch(`http://127.0.0.1:${managementPort}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
  while (!(await isReady())) {
    if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode}`);
    await sleep(20);
  }
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    pid: child.pid,
    async stop() {
      process.off('exit', kill);
      child.kill();
      await new Promise((resolve) => (child.exitCode === null ? child.once('exit', resolve) : resolve()));
    },
  };
}

/** Milliseconds of CPU that a process has used so far, as Linux counts them (in steps of 10). */
export function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Peak of the memory that a process held, in MB. */
export function peakMemoryMb(pid) {
  return Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024);
}
