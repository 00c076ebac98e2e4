// Runs the benchmarks and prints a table: each figure beside that of the least that could be done for the same answer, taken in the same run by
// turns. Server, client and cluster are processes of their own.
//
//   npm run bench                    all
//   npm run bench -- page fan-out    some: page, nested, sync, fan-out
//   npm run bench -- --quick         small and short: whether they run, not what they say
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, Listeners, load, median } from './client.mjs';
import { projectLabel } from './objects.mjs';
import { cpuMs, peakMemoryMb, start, startGateway } from './processes.mjs';

const args = process.argv.slice(2);
const isQuick = args.includes('--quick');
const chosen = args.filter((argument) => !argument.startsWith('--'));
const scale = isQuick
  ? { rounds: 1, roundMs: 300, nodes: 20, namespaces: 10, pods: 500, syncPods: 1_000, listeners: 20, changes: 3 }
  : { rounds: 5, roundMs: 3_000, nodes: 100, namespaces: 100, pods: 10_000, syncPods: 20_000, listeners: 1_000, changes: 40 };

const tokens = { admin: 'benchmark-cloud-admin', member: 'benchmark-member' };
const signedIn = (token) => ({ authorization: `Bearer ${token}` });
const digest = (token) => createHash('sha256').update(token).digest('hex');
const rows = [];
const show = (value, digits = 3) => Number(value.toPrecision(digits)).toLocaleString('en', { maximumSignificantDigits: digits });

/** A gateway in front of a cluster of that size: one cloud administrator, and one who belongs to every second project. */
async function withGateway(sizes, run) {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-bench-'));
  const kube = await start('./kube.mjs', sizes);
  const write = (name, content) => {
    // JSON is YAML.
    writeFileSync(join(folder, name), JSON.stringify(content));
    return join(folder, name);
  };
  write('kubeconfig', {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'bench', cluster: { server: kube.ready.url } }],
    users: [{ name: 'bench', user: {} }],
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
    'current-context': 'bench',
  });
  const projects = Array.from({ length: sizes.namespaces }, (_, index) => `p-${index}`);
  write('tokens.yaml', {
    projects: projects.map((project) => ({ id: project })),
    users: [
      { id: 'admin', tokenSha256: [digest(tokens.admin)], cloudAdmin: true },
      {
        id: 'member',
        tokenSha256: [digest(tokens.member)],
        roles: Object.fromEntries(projects.filter((_, index) => index % 2 === 0).map((project) => [project, 'USER'])),
      },
    ],
  });
  const config = write('config.yaml', {
    clusters: [{ name: 'bench', kubeconfig: './kubeconfig' }],
    projectLabel,
    auth: { tokenFile: './tokens.yaml' },
    limits: { streamsPerUser: 10_000 },
  });
  try {
    await run({ kube, config });
  } finally {
    await kube.stop();
    rmSync(folder, { recursive: true });
  }
}

/** The gateway and the raw server by turns, with the same answer. */
async function compare(name, what, { gateway, raw, query, token }) {
  const request = { url: gateway.url, pid: gateway.pid, headers: signedIn(token), body: JSON.stringify({ query }) };
  const { data } = await ask(request);
  await raw.call('answer', { path: `/${name}`, body: { data } });
  const floor = { ...request, url: `${raw.ready.url}/${name}`, pid: raw.pid };
  for (const warm of [request, floor]) await load(warm, scale.roundMs);
  const [ours, theirs] = [[], []];
  for (let round = 0; round < scale.rounds; round++) {
    ours.push(await load(request, scale.roundMs));
    theirs.push(await load(floor, scale.roundMs));
  }
  const of = (rounds, key) => median(rounds.map((round) => round[key]));
  rows.push([
    `${what}, ${show(of(ours, 'bytes') / 1_000)} KB`,
    `${show(of(ours, 'perSecond'))} answers/s · ${show(of(ours, 'cpuMs'))} ms CPU`,
    `${show(of(theirs, 'perSecond'))} answers/s · ${show(of(theirs, 'cpuMs'))} ms CPU`,
    `${show(of(theirs, 'perSecond') / of(ours, 'perSecond'), 2)} × the time, ${show(of(ours, 'cpuMs') / of(theirs, 'cpuMs'), 2)} × the CPU`,
  ]);
}

const pageQuery = `{ pods(first: 100) { nodes {
  id name namespaceName clusterName createdAt phase status ready restarts isolation nodeName podIP
  containers { name image ready } workload { name } project { name }
} } }`;
const nestedQuery = `{ cluster(name: "bench") { nodes(first: 100) { nodes { name ready pods(first: 500) { nodes { name status ready restarts } } } } } }`;

async function pageAndNested(wanted) {
  await withGateway(scale, async ({ config }) => {
    const gateway = await startGateway(config);
    const raw = await start('./raw.mjs');
    if (wanted('page'))
      await compare('page', `100 of ${show(scale.pods / 2)} pods, 15 fields each, as a user`, {
        gateway,
        raw,
        query: pageQuery,
        token: tokens.member,
      });
    if (wanted('nested'))
      await compare('nested', `${scale.nodes} nodes, each with its pods (${show(scale.pods)}), as cloud administrator`, {
        gateway,
        raw,
        query: nestedQuery,
        token: tokens.admin,
      });
    await raw.stop();
    await gateway.stop();
  });
}

async function sync() {
  await withGateway({ ...scale, pods: scale.syncPods }, async ({ kube, config }) => {
    const parser = await start('./parse.mjs', kube.ready);
    await parser.call('parseMs');
    const [ours, theirs, memory] = [[], [], []];
    for (let round = 0; round < scale.rounds; round++) {
      await kube.call('reset');
      const gateway = await startGateway(config);
      ours.push(await kube.call('listMs'));
      memory.push(peakMemoryMb(gateway.pid));
      await gateway.stop();
      theirs.push(await parser.call('parseMs'));
    }
    const perSecond = (ms) => `${show((scale.syncPods / ms) * 1_000)} pods/s`;
    rows.push([
      `first sync of ${show(scale.syncPods)} pods, ${show(parser.ready.bytes / 1e6)} MB (peak of memory ${median(memory)} MB)`,
      `${perSecond(median(ours))} · ${show(median(ours))} ms`,
      `${perSecond(median(theirs))} · ${show(median(theirs))} ms (\`JSON.parse\` of the same pages, already in memory)`,
      `${show(median(ours) / median(theirs), 2)} × the time`,
    ]);
    await parser.stop();
  });
}

async function fanOut() {
  await withGateway({ ...scale, pods: scale.namespaces * 10 }, async ({ kube, config }) => {
    const gateway = await startGateway(config);
    const raw = await start('./raw.mjs');
    const query = `subscription { podChanges(filter: { namespaces: ["team-0"] }) {
      type cursor podId pod { name namespaceName status ready restarts phase nodeName workload { name } project { name } }
    } }`;
    const marker = '"MODIFIED"';
    const listeners = await Listeners.open(gateway.url, scale.listeners, marker, { query, headers: signedIn(tokens.member) });
    let count = 1_000;
    const change = () => kube.call('touch', { namespace: 'team-0', count: ++count });
    await listeners.all(change);
    const rawListeners = await Listeners.open(raw.ready.url, scale.listeners, marker);
    const text = listeners.last;
    const measure = async (pid, action, on) => {
      const before = cpuMs(pid);
      const begin = performance.now();
      for (let index = 0; index < scale.changes; index++) await on.all(action);
      const deliveries = scale.changes * scale.listeners;
      return { ms: (performance.now() - begin) / scale.changes, cpuUs: ((cpuMs(pid) - before) / deliveries) * 1_000 };
    };
    const [ours, theirs] = [[], []];
    for (let round = 0; round < scale.rounds; round++) {
      ours.push(await measure(gateway.pid, change, listeners));
      theirs.push(await measure(raw.pid, () => raw.call('send', text), rawListeners));
    }
    const of = (rounds, key) => median(rounds.map((round) => round[key]));
    const figures = (rounds) => `${show(of(rounds, 'ms'))} ms a change · ${show(of(rounds, 'cpuUs'))} µs CPU a delivery`;
    rows.push([
      `a change of a pod to ${show(scale.listeners)} subscribers of \`podChanges\`, ${text.length} bytes each`,
      figures(ours),
      `${figures(theirs)} (\`ws\` sending the same text)`,
      `${show(of(ours, 'ms') / of(theirs, 'ms'), 2)} × the time, ${show(of(ours, 'cpuUs') / of(theirs, 'cpuUs'), 2)} × the CPU`,
    ]);
    listeners.close();
    rawListeners.close();
    await raw.stop();
    await gateway.stop();
  });
}

const wanted = (name) => chosen.length === 0 || chosen.includes(name);
if (wanted('page') || wanted('nested')) await pageAndNested(wanted);
if (wanted('sync')) await sync();
if (wanted('fan-out')) await fanOut();

process.stdout.write(
  `Node ${process.versions.node}, ${cpus().length} cores; medians of ${scale.rounds} rounds by turns${isQuick ? '; quick, so no figures to go by' : ''}\n\n`,
);
process.stdout.write('| what | gateway | the least | ratio |\n|---|---|---|---|\n');
for (const row of rows) process.stdout.write(`| ${row.join(' | ')} |\n`);
