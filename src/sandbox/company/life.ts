import type { Random } from '../random.js';
import { split, type Hands } from './hands.js';
import type { LifePlan } from './plans.js';

/** How long the load of a day takes to come and go. Days are short at this company, so that visitors see something. */
const tideMs = 18 * 60_000;

/** Something that is done again and again. */
interface Habit {
  dueMs: number;
  readonly pauseMs: () => number;
  readonly act: (nowMs: number) => void;
}

/** What goes on in a cluster without anybody watching. It acts when it is told the time; what it does depends on its seed alone. */
export class Life {
  readonly #hands: Hands;
  readonly #random: Random;
  readonly #habits: readonly Habit[];

  /** @param sinceMs When it begins, in the cluster's own time. */
  constructor(plan: LifePlan, hands: Hands, random: Random, sinceMs: number) {
    this.#hands = hands;
    this.#random = random;
    const { scaled, shaken, redeployed, jobs, releases } = plan;
    const tides = scaled.map((each) => ({ ...each, phase: random.next() }));
    const habit = (pauseSeconds: readonly [number, number], act: (nowMs: number) => void): Habit => {
      const pauseMs = (): number => random.integer(pauseSeconds[0] * 1000, pauseSeconds[1] * 1000);
      return { dueMs: sinceMs + pauseMs(), pauseMs, act };
    };
    let released = 0;
    this.#habits = [
      habit([25, 60], (nowMs) => this.#toOne(tides, (tide) => this.#scale(tide, (nowMs - sinceMs) / tideMs + tide.phase))),
      habit([20, 70], () => this.#toOne(shaken, (workload) => this.#shake(workload))),
      habit([240, 480], () => this.#toOne(redeployed, (deployment) => hands.redeploy(deployment))),
      habit([150, 300], () => this.#toOne(jobs, (job) => this.#startJob(job))),
      habit([releases.everySeconds, releases.everySeconds], () => {
        const version = releases.versions[released++ % releases.versions.length];
        if (version !== undefined) hands.release(releases.deployment, version);
      }),
    ];
  }

  /** When it acts next, in the cluster's own time. */
  get nextMs(): number {
    return Math.min(...this.#habits.map(({ dueMs }) => dueMs));
  }

  /** Does what is due by then. */
  act(nowMs: number): void {
    for (const habit of this.#habits) {
      if (habit.dueMs > nowMs) continue;
      habit.dueMs = nowMs + habit.pauseMs();
      habit.act(nowMs);
    }
  }

  #toOne<T>(items: readonly T[], act: (item: T) => void): void {
    const item = this.#random.pick(items);
    if (item !== undefined) act(item);
  }

  /** A step towards what the load asks for. @param tides How many of them have passed. */
  #scale({ deployment, min, max }: LifePlan['scaled'][number], tides: number): void {
    const replicas = this.#hands.replicasOf(deployment);
    if (replicas === undefined) return;
    const load = 0.5 + 0.5 * Math.sin(2 * Math.PI * tides);
    const wanted = Math.round(min + (max - min) * load);
    const next = replicas + Math.max(-2, Math.min(2, wanted - replicas));
    this.#hands.autoscale(deployment, next, Math.round((60 * (min + (max - min) * load)) / next));
  }

  #shake(workload: string): void {
    this.#toOne(this.#hands.runningPodsOf(workload), (pod) => this.#hands.deletePod(split(workload).namespace, pod));
  }

  #startJob({ namespace, workload }: LifePlan['jobs'][number]): void {
    const name = `${workload.name}-${this.#random.suffix()}`;
    this.#hands.create(namespace, { ...workload, name, spec: { ...workload.spec, ttlSecondsAfterFinished: 600 } });
  }
}
