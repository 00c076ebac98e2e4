import type { SandboxClock } from '../clock.js';
import { Random } from '../random.js';
import type { Storage } from '../storage.js';
import { DeploymentController } from './deployments.js';
import { ObjectIndex } from './object-index.js';
import { ReplicaSetController } from './replica-sets.js';
import { WorkLoop, type ErrorReport, type World } from './work.js';

export interface ControllersOptions {
  readonly storage: Storage;
  readonly clock: SandboxClock;
  readonly seed: number | string;
  readonly report: ErrorReport;
}

export interface Controllers {
  /** Works until nothing waits. @returns undefined where nothing is left already. */
  settle(): Promise<void> | undefined;
  stop(): void;
}

/** Everything that animates a cluster. */
export function startControllers({ storage, clock, seed, report }: ControllersOptions): Controllers {
  const index = new ObjectIndex(storage);
  const world: World = { storage, index, clock, random: new Random(seed) };
  const loop = new WorkLoop(world, report);
  loop.add((queue) => new DeploymentController(world, queue));
  loop.add((queue) => new ReplicaSetController(world, queue));
  return {
    settle: () => loop.settle(),
    stop: () => {
      loop.stop();
      index.stop();
    },
  };
}
