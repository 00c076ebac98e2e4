import type { SandboxClock } from '../clock.js';
import { Random } from '../random.js';
import type { Storage } from '../storage.js';
import { CronJobController } from './cron-jobs.js';
import { DaemonSetController } from './daemon-sets.js';
import { DeploymentController } from './deployments.js';
import { EventRecorder } from './events.js';
import { GarbageCollector } from './garbage-collector.js';
import { JobController } from './jobs.js';
import { Kubelet } from './kubelet.js';
import { NodeLedger } from './node-ledger.js';
import { EvictionController, NodeController } from './nodes.js';
import { ObjectIndex } from './object-index.js';
import { ReplicaSetController } from './replica-sets.js';
import { Scheduler } from './scheduler.js';
import { StatefulSetController } from './stateful-sets.js';
import { WorkLoop, type ErrorReport, type World } from './work.js';

export interface ControllersOptions {
  readonly storage: Storage;
  readonly clock: SandboxClock;
  readonly seed: number | string;
  /** Of the kubelets. */
  readonly version: string;
  /** Whether what happens is told as Kubernetes' Events. */
  readonly hasEvents: boolean;
  readonly report: ErrorReport;
}

export interface Controllers {
  /** Works until nothing waits. @returns undefined where nothing is left already. */
  settle(): Promise<void> | undefined;
  /** Time runs by itself from here on. */
  run(): void;
  stop(): void;
}

/** Everything that animates a cluster. */
export function startControllers({ storage, clock, seed, version, hasEvents, report }: ControllersOptions): Controllers {
  const index = new ObjectIndex(storage);
  const ledger = new NodeLedger(storage);
  const events = new EventRecorder(storage, clock, hasEvents);
  const world: World = { storage, index, ledger, events, clock, random: new Random(seed), version };
  const loop = new WorkLoop(world, report);
  loop.add((queue) => new DeploymentController(world, queue));
  loop.add((queue) => new ReplicaSetController(world, queue));
  loop.add((queue) => new StatefulSetController(world, queue));
  loop.add((queue) => new DaemonSetController(world, queue));
  loop.add((queue) => new CronJobController(world, queue));
  loop.add((queue) => new JobController(world, queue));
  loop.add((queue) => new GarbageCollector(world, queue));
  const nodes = loop.add((queue) => new NodeController(world, queue));
  loop.add((queue) => new EvictionController(world, queue));
  loop.add((queue) => new Scheduler(world, queue));
  loop.add((queue) => new Kubelet(world, queue));
  return {
    settle: () => loop.settle(),
    run: () => nodes.hearAll(),
    stop: () => {
      loop.stop();
      index.stop();
      ledger.stop();
    },
  };
}
