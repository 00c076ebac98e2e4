import { startSandbox, type Sandbox, type SandboxOptions } from '../cluster.js';
import { toInstant } from '../clock.js';
import { Random } from '../random.js';
import { east } from './east.js';
import { Hands } from './hands.js';
import { Life } from './life.js';
import { mirrorPods, nodeFrom } from './nodes.js';
import { north } from './north.js';
import type { ClusterPlan } from './plans.js';
import type { WorkloadPlan } from './workloads.js';

export { people, projects, type Person, type Project } from './people.js';

const hourMs = 3_600_000;
/** Past writes of each kind that watches can go back to: a demo may run for days, and should not grow. */
const maxHistory = 5_000;
/** How long its life has gone on when the company opens. Long enough for a release of each cluster to be on its way, and not done. */
const lifeHours = 1 / 3;

export interface CompanyOptions {
  /** The real clock, in milliseconds since the epoch. */
  readonly now: () => number;
  /** What happens by chance depends on it, and on the time, alone. Default 1. */
  readonly seed?: number | string;
  /** Simulated seconds per real second, once it is open. Default 1. */
  readonly speed?: number;
  /** Told how much of the company's past has been made. */
  readonly onProgress?: (cluster: string, done: number, of: number) => void;
  readonly onError: SandboxOptions['onError'];
}

export interface CompanyCluster {
  readonly name: string;
  readonly displayName: string;
  readonly sandbox: Sandbox;
}

export interface Company {
  readonly clusters: readonly CompanyCluster[];
  close(): Promise<void>;
}

/** Something that happened at one moment of a cluster's past. */
interface Moment {
  readonly hoursAgo: number;
  readonly act: () => Promise<unknown> | void;
}

/**
 * Two clusters of a company that lives. They have a past of weeks when this returns: it passed as fast as the machine goes, so that every age, restart
 * and revision is what the controllers made of it.
 */
export async function startCompany({ now, seed = 1, speed = 1, onProgress, onError }: CompanyOptions): Promise<Company> {
  const stops: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(stops.splice(0).map((stop) => stop()));
  };
  try {
    const openMs = now();
    const drafts = [];
    for (const plan of [east, north]) {
      const sandbox = await startSandbox({
        now,
        seed: `${seed}/${plan.name}`,
        speed,
        startAtMs: openMs - plan.ageHours * hourMs,
        paused: true,
        name: plan.name,
        version: plan.kubernetesVersion,
        maxHistory,
        onError,
      });
      stops.push(() => sandbox.close());
      const hands = new Hands(sandbox.storage, sandbox.now);
      const life = new Life(plan.life, hands, new Random(`${seed}/${plan.name}/life`), openMs - lifeHours * hourMs);
      drafts.push({ plan, sandbox, life, moments: momentsOf(plan, sandbox, hands) });
    }
    const of = drafts.reduce((sum, { moments }) => sum + moments.length, 0);
    let done = 0;
    for (const { plan, sandbox, life, moments } of drafts) {
      for (const { hoursAgo, act } of moments) {
        await passUntil(openMs - hoursAgo * hourMs, sandbox, life);
        await act();
        onProgress?.(plan.displayName, ++done, of);
      }
    }
    for (const { sandbox, life } of drafts) {
      // To make the past took time, too.
      await passUntil(now(), sandbox, life);
      sandbox.run();
      stops.push(goOn(life, sandbox, speed, onError));
    }
    return { clusters: drafts.map(({ plan: { name, displayName }, sandbox }) => ({ name, displayName, sandbox })), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Lets the time of a cluster that stands still pass, with all that goes on in it. */
async function passUntil(atMs: number, sandbox: Sandbox, life: Life): Promise<void> {
  for (; life.nextMs < atMs; life.act(sandbox.now())) await sandbox.advance(Math.max(0, life.nextMs - sandbox.now()));
  await sandbox.advance(Math.max(0, atMs - sandbox.now()));
}

/** @returns what ends it. */
function goOn(life: Life, sandbox: Sandbox, speed: number, onError: CompanyOptions['onError']): () => void {
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    timer = setTimeout(
      () => {
        try {
          life.act(sandbox.now());
        } catch (error) {
          onError(error);
        }
        wait();
      },
      Math.ceil(Math.max(0, life.nextMs - sandbox.now()) / speed),
    );
    timer.unref();
  };
  wait();
  return () => clearTimeout(timer);
}

/** The past of a cluster up to the moment when it opens, the oldest first. */
function momentsOf(plan: ClusterPlan, sandbox: Sandbox, hands: Hands): readonly Moment[] {
  const moments: Moment[] = [{ hoursAgo: plan.ageHours, act: () => found(plan, sandbox) }];
  for (const { name, project, ageHours, workloads } of plan.namespaces) {
    if (ageHours !== undefined) moments.push({ hoursAgo: ageHours, act: () => sandbox.create([namespaceFrom(name, project)]) });
    for (const workload of workloads) {
      const busyHours = busyHoursOf(workload);
      if (busyHours === undefined) moments.push({ hoursAgo: workload.ageHours, act: () => hands.create(name, workload) });
      else {
        const { schedule = '' } = workload;
        moments.push(
          { hoursAgo: workload.ageHours, act: () => hands.create(name, { ...workload, schedule: quietSchedule }) },
          { hoursAgo: busyHours, act: () => hands.reschedule(`${name}/${workload.name}`, schedule) },
        );
      }
    }
  }
  for (const { hoursAgo, act } of plan.past) moments.push({ hoursAgo, act: () => act(hands) });
  return moments.sort((one, other) => other.hoursAgo - one.hoursAgo);
}

/** Nodes, what the masters run before there is an API, and runtimes. */
async function found({ nodes, runtimeClasses, region, kubernetesVersion }: ClusterPlan, sandbox: Sandbox): Promise<void> {
  const instant = toInstant(sandbox.now());
  const site = { region, kubernetesVersion };
  const created = await sandbox.create([...runtimeClasses, ...nodes.map((node, index) => nodeFrom(node, site, index, instant))]);
  await sandbox.create(created.flatMap((object) => (object.kind === 'Node' ? mirrorPods(object, kubernetesVersion) : [])));
}

function namespaceFrom(name: string, project: string | undefined): object {
  const labels = project === undefined ? {} : { 'openstack.org/project-id': project, 'pod-security.kubernetes.io/enforce': 'baseline' };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

/** New Year's: as good as never. */
const quietSchedule = '0 0 1 1 *';

/**
 * For how long a cron job that runs many times a day has really been running when the company opens: weeks of it would take long to make, and leave no
 * trace. Undefined for all else.
 */
function busyHoursOf({ schedule }: WorkloadPlan): number | undefined {
  if (schedule === undefined) return undefined;
  const [minute = '', hour = ''] = schedule.split(' ');
  if (hour !== '*') return undefined;
  return minute.startsWith('*') ? 1 : 6;
}
