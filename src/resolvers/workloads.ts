import { Arg, Args, Ctx, FieldResolver, ID, Int, Query, Resolver, Root } from 'type-graphql';
import { decodeId } from '../domain/ids.js';
import { isolationOf, type Isolation } from '../domain/isolation.js';
import type { PodRecord } from '../domain/kinds/pods.js';
import { workloadKinds, type CronJobRecord, type JobRecord, type WorkloadRecord } from '../domain/kinds/workloads.js';
import { cronJobOf, jobsOf, podsOf } from '../domain/owners.js';
import { sumOfPods } from '../domain/resources.js';
import type { Context } from '../schema/context.js';
import { Isolation as IsolationEnum } from '../schema/enums.js';
import { Governed } from '../schema/governance.js';
import { DateTime } from '../schema/scalars.js';
import { PodArguments, WorkloadArguments } from '../schema/types/arguments.js';
import { PodConnection } from '../schema/types/pod.js';
import { PodTemplate } from '../schema/types/pod-template.js';
import { ResourceAmounts } from '../schema/types/resource.js';
import { CronJob, Job, Workload, WorkloadConnection } from '../schema/types/workload.js';
import { listPods, listWorkloads, type Listed } from './lists.js';
import { checkFirst } from './pages.js';
import { readById } from './resources.js';

/** What all workloads have; the types that implement the interface take it over. */
@Resolver(() => Workload)
export class WorkloadResolver {
  @Query(() => WorkloadConnection, { nullable: true, description: 'Workloads of all clusters that the viewer may see.' })
  @Governed('WORKLOAD_VIEW')
  workloads(@Ctx() ctx: Context, @Args(() => WorkloadArguments) args: WorkloadArguments): Listed<WorkloadRecord> {
    return listWorkloads(ctx, args, { field: 'workloads' });
  }

  @Query(() => Workload, { nullable: true, description: 'One workload.' })
  @Governed('WORKLOAD_VIEW')
  workload(@Ctx() ctx: Context, @Arg('id', () => ID, { description: 'Of a workload.' }) id: string): object | undefined {
    const decoded = decodeId(id);
    return decoded && ctx.budget.take(1, readById(decoded, workloadKinds, ctx));
  }

  @FieldResolver(() => IsolationEnum, { description: 'How the pods that it makes are kept apart from their neighbours.' })
  isolation(@Root() workload: WorkloadRecord, @Ctx() { reader, isolationPatterns }: Context): Isolation {
    return isolationOf(workload, reader, isolationPatterns);
  }

  @FieldResolver(() => PodTemplate, { description: 'What it makes its pods from.' })
  template(@Root() workload: WorkloadRecord, @Ctx() { reader, isolationPatterns }: Context): object {
    return { ...workload.template, isolation: isolationOf(workload, reader, isolationPatterns) };
  }

  @FieldResolver(() => PodConnection, { nullable: true, description: 'Its pods, through its replica sets or jobs where it has them.' })
  @Governed('WORKLOAD_VIEW')
  pods(@Root() workload: WorkloadRecord, @Ctx() ctx: Context, @Args(() => PodArguments) args: PodArguments): Listed<PodRecord> {
    return listPods(ctx, args, { field: 'Workload.pods', parent: workload.uid, workload });
  }

  @FieldResolver(() => ResourceAmounts, { nullable: true, description: 'Sum over its unfinished pods.' })
  requested(@Root() workload: WorkloadRecord, @Ctx() { reader, budget }: Context): object {
    return budget.run(
      () => sumOfPods(podsOf(workload, reader)),
      () => 1,
    );
  }
}

@Resolver(() => Job)
export class JobResolver {
  @FieldResolver(() => CronJob, { nullable: true, description: 'The cron job that started it; null where none did.' })
  @Governed('WORKLOAD_VIEW')
  cronJob(@Root() job: JobRecord, @Ctx() { reader, budget }: Context): object | undefined {
    return budget.take(1, cronJobOf(job, reader));
  }
}

@Resolver(() => CronJob)
export class CronJobResolver {
  @FieldResolver(() => DateTime, { nullable: true, description: 'When it starts its next job; null while it is suspended.' })
  nextScheduledAt(@Root() cronJob: CronJobRecord, @Ctx() { now }: Context): string | undefined {
    return cronJob.nextScheduledAt(now());
  }

  @FieldResolver(() => [Job], { nullable: true, description: 'Newest first.' })
  @Governed('WORKLOAD_VIEW')
  jobs(
    @Root() cronJob: CronJobRecord,
    @Ctx() { reader, budget }: Context,
    @Arg('first', () => Int, { nullable: true, defaultValue: 20, description: '1 to 500.' }) first?: number | null,
  ): object {
    const size = checkFirst(first ?? 20);
    return budget.run(
      () => [...jobsOf(cronJob, reader)].sort(byAge).slice(0, size),
      (shown) => shown.length,
    );
  }
}

/** Newest first. */
function byAge(one: JobRecord, other: JobRecord): number {
  if (one.createdAt !== other.createdAt) return one.createdAt < other.createdAt ? 1 : -1;
  return one.name < other.name ? 1 : -1;
}
