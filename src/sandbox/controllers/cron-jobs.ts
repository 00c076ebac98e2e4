import { toInstant } from '../clock.js';
import { equalJson } from '../json.js';
import { parseSchedule, type Schedule } from '../schedule.js';
import { StatusError } from '../status.js';
import type { SandboxObject, StorageEvent } from '../storage.js';
import { isTerminating } from './pods.js';
import { controlledBy, controllerKey, keyOf, resourceOf, splitKey, type CronJob, type CronJobStatus, type Job } from './shapes.js';
import type { Controller, Queue, World } from './work.js';

/** A job is made so much later than its time, as no clock is exact. */
const lagMs = 100;

/** Makes jobs at the times of their cron jobs, and keeps as many finished ones as these ask for. */
export class CronJobController implements Controller {
  readonly name = 'cron jobs';
  readonly #world: World;
  readonly #queue: Queue;
  readonly #schedules = new Map<string, Schedule | undefined>();

  constructor(world: World, queue: Queue) {
    this.#world = world;
    this.#queue = queue;
  }

  observe(event: StorageEvent): void {
    const resource = resourceOf(event);
    if (resource === 'cronjobs.batch') this.#queue.add(keyOf(event.object.metadata));
    const owner = resource === 'jobs.batch' ? controllerKey(event.object, 'CronJob') : undefined;
    if (owner !== undefined) this.#queue.add(owner);
  }

  sync(key: string): void {
    const { storage, index, clock } = this.#world;
    const { namespace, name } = splitKey(key);
    const cron = storage.get('cronjobs.batch', namespace, name) as CronJob | undefined;
    if (cron === undefined || isTerminating(cron)) return;
    const jobs = index.controlled('jobs.batch', cron.metadata.uid) as Job[];
    this.#clean(cron, jobs);
    let status = this.#review(cron, jobs);
    const schedule = this.#scheduleOf(cron);
    if (cron.spec.suspend !== true && schedule !== undefined) {
      status = this.#runDue(cron, status, schedule);
      const nextMs = schedule.next(clock.now());
      if (nextMs !== Infinity) this.#queue.addAfter(key, nextMs + lagMs - clock.now());
    }
    const current = storage.get('cronjobs.batch', namespace, name);
    if (current?.metadata.uid === cron.metadata.uid && !equalJson(current.status, status))
      storage.update('cronjobs.batch', { ...current, status }, 'status');
  }

  #scheduleOf({ spec: { schedule, timeZone } }: CronJob): Schedule | undefined {
    const key = `${timeZone ?? ''} ${schedule}`;
    if (!this.#schedules.has(key)) this.#schedules.set(key, parseSchedule(schedule, timeZone));
    return this.#schedules.get(key);
  }

  /** The status without the jobs that ended or are gone. */
  #review(cron: CronJob, jobs: readonly Job[]): CronJobStatus {
    const { active = [], lastSuccessfulTime, ...status } = cron.status ?? {};
    const running = new Map(jobs.filter((job) => !isDone(job)).map((job) => [job.metadata.uid, job]));
    const known = active.filter(({ uid }) => running.has(uid));
    for (const { uid, name } of active) {
      const job = jobs.find(({ metadata }) => metadata.uid === uid);
      const how = job === undefined ? 'no longer exists' : `condition: ${isDone(job, 'Complete') ? 'Complete' : 'Failed'}`;
      if (!running.has(uid))
        this.#tell(cron, 'Normal', job === undefined ? 'MissingJob' : 'SawCompletedJob', `Saw completed job: ${name}, ${how}`);
    }
    const successes = jobs.map(({ status: { completionTime } = {} }) => completionTime ?? '');
    const latest = [lastSuccessfulTime ?? '', ...successes].sort().at(-1) ?? '';
    return { ...(known.length === 0 ? {} : { active: known }), ...status, ...(latest === '' ? {} : { lastSuccessfulTime: latest }) };
  }

  /** Makes the job of the latest time that has passed; those missed before it are left out. */
  #runDue(cron: CronJob, status: CronJobStatus, schedule: Schedule): CronJobStatus {
    const { clock, storage } = this.#world;
    const { spec, metadata } = cron;
    const nowMs = clock.now();
    const sinceMs = Date.parse(status.lastScheduleTime ?? metadata.creationTimestamp);
    const dueMs = schedule.last(nowMs, sinceMs);
    if (dueMs <= sinceMs) return status;
    const { startingDeadlineSeconds } = spec;
    if (startingDeadlineSeconds !== undefined && dueMs + startingDeadlineSeconds * 1000 < nowMs) {
      this.#tell(cron, 'Warning', 'MissSchedule', `Missed scheduled time to start a job: ${new Date(dueMs).toUTCString()}`);
      return status;
    }
    let { active = [] } = status;
    if (spec.concurrencyPolicy === 'Forbid' && active.length > 0) {
      this.#tell(
        cron,
        'Normal',
        'JobAlreadyActive',
        'Not starting job because prior execution is running and concurrency policy is Forbid',
      );
      return status;
    }
    if (spec.concurrencyPolicy === 'Replace') {
      for (const job of active) {
        storage.delete('jobs.batch', job.namespace, job.name, { propagationPolicy: 'Background' });
        this.#tell(cron, 'Normal', 'SuccessfulDelete', `Deleted job ${job.name}`);
      }
      active = [];
    }
    const job = this.#create(cron, dueMs);
    const reference = job && {
      kind: job.kind,
      namespace: job.metadata.namespace ?? '',
      name: job.metadata.name,
      uid: job.metadata.uid,
      apiVersion: job.apiVersion,
      resourceVersion: job.metadata.resourceVersion,
    };
    const { active: _before, ...rest } = status;
    const running = reference === undefined ? active : [...active, reference];
    return { ...(running.length === 0 ? {} : { active: running }), ...rest, lastScheduleTime: toInstant(dueMs) };
  }

  /** Undefined where it was made already. */
  #create(cron: CronJob, dueMs: number): SandboxObject | undefined {
    const { metadata, spec } = cron;
    const { jobTemplate } = spec;
    try {
      const job = this.#world.storage.create('jobs.batch', {
        metadata: {
          ...(jobTemplate.metadata?.labels === undefined ? {} : { labels: jobTemplate.metadata.labels }),
          annotations: {
            ...jobTemplate.metadata?.annotations,
            'batch.kubernetes.io/cronjob-scheduled-timestamp': zonedInstant(dueMs, spec.timeZone),
          },
          name: `${metadata.name}-${Math.floor(dueMs / 60_000)}`,
          namespace: metadata.namespace,
          ownerReferences: [controlledBy(cron)],
        },
        spec: jobTemplate.spec,
      });
      this.#tell(cron, 'Normal', 'SuccessfulCreate', `Created job ${job.metadata.name}`);
      return job;
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      if (error.reason === 'AlreadyExists') return undefined;
      this.#tell(cron, 'Warning', 'FailedCreate', `Error creating job: ${error.message}`);
      throw error;
    }
  }

  #clean(cron: CronJob, jobs: readonly Job[]): void {
    const { successfulJobsHistoryLimit = 3, failedJobsHistoryLimit = 1 } = cron.spec;
    for (const [type, limit] of [
      ['Complete', successfulJobsHistoryLimit],
      ['Failed', failedJobsHistoryLimit],
    ] as const) {
      const done = jobs.filter((job) => isDone(job, type) && !isTerminating(job));
      const startOf = ({ status, metadata }: Job): string => status?.startTime ?? metadata.creationTimestamp;
      const oldest = done.toSorted((one, other) => (startOf(one) < startOf(other) ? -1 : 1)).slice(0, Math.max(0, done.length - limit));
      for (const { metadata } of oldest) {
        this.#world.storage.delete('jobs.batch', metadata.namespace, metadata.name, { propagationPolicy: 'Background' });
        this.#tell(cron, 'Normal', 'SuccessfulDelete', `Deleted job ${metadata.name}`);
      }
    }
  }

  #tell(cron: CronJob, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#world.events.record(cron, { type, reason, message, component: 'cronjob-controller' });
  }
}

function isDone({ status }: Job, how?: 'Complete' | 'Failed'): boolean {
  return (
    status?.conditions?.some(
      ({ type, status: value }) => value === 'True' && (how === undefined ? type === 'Complete' || type === 'Failed' : type === how),
    ) === true
  );
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** RFC 3339 with the zone's own offset. @param timeZone Undefined: UTC. */
function zonedInstant(epochMs: number, timeZone: string | undefined): string {
  if (timeZone === undefined) return toInstant(epochMs);
  let format = formats.get(timeZone);
  if (format === undefined) formats.set(timeZone, (format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' })));
  const parts = format.formatToParts(epochMs);
  const offset = parts.find(({ type }) => type === 'timeZoneName')?.value.replace('GMT', '') ?? '';
  if (offset === '') return toInstant(epochMs);
  const [hours = 0, minutes = 0] = offset.slice(1).split(':').map(Number);
  const localMs = epochMs + (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
  return `${toInstant(localMs).slice(0, -1)}${offset}`;
}
