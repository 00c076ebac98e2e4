// Runs the programs of one control plane and takes all of them with it when it ends.
//
//   node supervisor.mjs FOLDER
//
// It ends when its standard input ends, which is also what happens when the process that started it dies in any way. What
// it leaves behind: no process, no FOLDER. Its first line of output is {"port": N}: N-1 is the port by which it holds a block
// of ten, N to N+8 are free for the programs. Commands come as one JSON line per connection to FOLDER/control.sock.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const folder = process.argv[2];
const marker = `CONTROL_PLANE_FOLDER=${folder}`;
/** Ends a program when this process is killed so hard that it cannot do so itself. Linux only; elsewhere that is not covered. */
const leash = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));

/** By name: what was last started, and the process while it runs. */
const programs = new Map();

function start(name, spec) {
  const known = programs.get(name);
  if (known?.child) throw new Error(`${name} runs already`);
  const { file, args, env } = spec ?? known?.spec ?? {};
  if (!file) throw new Error(`${name} was never started`);
  const log = openSync(join(folder, 'logs', `${name}.log`), 'a');
  const [command, ...before] = leash ? [leash, '--pdeathsig', 'KILL', '--', file] : [file];
  const child = spawn(command, [...before, ...args], {
    cwd: folder,
    // A session of its own: Ctrl-C in the terminal must not reach it before the tests are done with it.
    detached: true,
    env: { PATH: process.env.PATH, HOME: folder, TMPDIR: join(folder, 'tmp'), CONTROL_PLANE_FOLDER: folder, ...env },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const program = { spec: { file, args, env }, child, exited: undefined };
  programs.set(name, program);
  program.exited = new Promise((resolve) => {
    const gone = (code, signal) => {
      program.child = undefined;
      program.status = { code, signal };
      resolve();
    };
    child.once('exit', gone);
    child.once('error', () => gone(127, null));
  });
  return { pid: child.pid };
}

function signalGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Gone already.
  }
}

async function stop(name, signal, graceMs) {
  const program = programs.get(name);
  if (!program?.child) return {};
  const { child } = program;
  signalGroup(child, signal);
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), graceMs);
  await program.exited;
  clearTimeout(timer);
  // What it started and left behind.
  signalGroup(child, 'SIGKILL');
  return {};
}

function status() {
  return Object.fromEntries([...programs].map(([name, { child, status: last }]) => [name, child ? { pid: child.pid } : last]));
}

/** Processes that programs started and that left their process group: a shell with a terminal does. */
function strays() {
  const found = [];
  let names = [];
  try {
    names = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return found;
  }
  for (const name of names) {
    if (Number(name) === process.pid) continue;
    try {
      if (readFileSync(`/proc/${name}/environ`, 'utf8').split('\0').includes(marker)) found.push(Number(name));
    } catch {
      // Gone already, or another user's.
    }
  }
  return found;
}

let ending = false;
async function end() {
  if (ending) return;
  ending = true;
  const running = [...programs.values()].filter(({ child }) => child);
  // Nothing here is worth an orderly end: all data is thrown away.
  for (const { child } of running) signalGroup(child, 'SIGKILL');
  await Promise.all(running.map(({ exited }) => exited));
  for (const pid of strays()) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.exit(0);
}

const listen = (server, where) =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });

async function isFree(port) {
  const probe = createServer();
  try {
    await listen(probe, { host: '127.0.0.1', port });
  } catch {
    return false;
  }
  await new Promise((resolve) => probe.close(resolve));
  return true;
}

/**
 * Takes ten ports below those that the kernel gives to clients. The first is the lock: whoever listens there has the block, and
 * the kernel gives it back when its owner dies. So clusters that start at the same moment never meet.
 */
async function takePorts() {
  const blocks = 1_000;
  const offset = Math.floor(Math.random() * blocks);
  for (let i = 0; i < blocks; i++) {
    const first = 20_000 + 10 * ((offset + i) % blocks);
    const lock = createServer((socket) => socket.destroy());
    try {
      await listen(lock, { host: '127.0.0.1', port: first });
    } catch {
      continue;
    }
    const free = await Promise.all(Array.from({ length: 9 }, (_, n) => isFree(first + 1 + n)));
    if (free.every(Boolean)) return first + 1;
    lock.close();
  }
  throw new Error('no ten free ports in a row between 20000 and 30000');
}

async function answer(line) {
  const { command, name, spec, signal, graceMs } = JSON.parse(line);
  switch (command) {
    case 'start':
      return start(name, spec);
    case 'stop':
      return stop(name, signal, graceMs);
    case 'status':
      return status();
    default:
      throw new Error(`unknown command ${command}`);
  }
}

process.stdin.on('end', end).on('close', end).on('error', end).resume();
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, end);

const control = createServer((socket) => {
  socket.on('error', () => socket.destroy());
  createInterface({ input: socket }).once('line', (line) => {
    answer(line).then(
      (result) => socket.end(`${JSON.stringify({ result })}\n`),
      (error) => socket.end(`${JSON.stringify({ error: String(error.message) })}\n`),
    );
  });
});
await listen(control, join(folder, 'control.sock'));
const port = await takePorts();
process.stdout.write(`${JSON.stringify({ port })}\n`);
