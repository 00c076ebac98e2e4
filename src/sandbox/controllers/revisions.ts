import { hash32, safeEncode } from '../random.js';
import { StatusError } from '../status.js';
import type { SandboxObject } from '../storage.js';
import { canonicalJson, controlledBy, type ControllerRevision, type PodTemplate } from './shapes.js';
import type { World } from './work.js';

/** Owners whose history is kept as ControllerRevisions. */
type Owner = SandboxObject & { spec: { template: PodTemplate; revisionHistoryLimit?: number } };

/** All templates that a stateful or daemon set had, the one of now among them. */
export interface History {
  readonly current: ControllerRevision;
  /** By revision, the current one last. */
  readonly all: readonly ControllerRevision[];
}

const resource = 'controllerrevisions.apps';

/**
 * Makes the owner's template the newest revision: one that is new, or an older one that gets a new number.
 *
 * @param hashLabel Label of the revision that holds the hash of its template.
 */
export function syncHistory({ storage, index }: Pick<World, 'storage' | 'index'>, owner: Owner, hashLabel: string): History {
  const { metadata, spec } = owner;
  const known = (index.controlled(resource, metadata.uid) as ControllerRevision[]).sort((one, other) => one.revision - other.revision);
  const data = { spec: { template: { ...spec.template, $patch: 'replace' } } };
  const text = canonicalJson(data);
  const latest = known.at(-1);
  const equal = known.findLast((each) => canonicalJson(each.data) === text);
  if (equal !== undefined && equal === latest) return { current: equal, all: known };
  const revision = (latest?.revision ?? 0) + 1;
  if (equal !== undefined) {
    const current = storage.update(resource, { ...equal, revision }) as ControllerRevision;
    return { current, all: [...known.filter((each) => each !== equal), current] };
  }
  const current = create(storage, owner, { data, revision, hashLabel, text });
  return { current, all: [...known, current] };
}

interface Draft {
  readonly data: unknown;
  readonly revision: number;
  readonly hashLabel: string;
  readonly text: string;
}

function create(storage: World['storage'], owner: Owner, { data, revision, hashLabel, text }: Draft): ControllerRevision {
  const { name, namespace, annotations } = owner.metadata;
  for (let collisions = 0; ; collisions++) {
    const hash = safeEncode(hash32(collisions === 0 ? text : `${text}${collisions}`));
    try {
      return storage.create(resource, {
        metadata: {
          name: `${name}-${hash}`,
          namespace,
          labels: { ...owner.spec.template.metadata?.labels, [hashLabel]: hash },
          ...(annotations === undefined ? {} : { annotations }),
          ownerReferences: [controlledBy(owner)],
        },
        data,
        revision,
      }) as ControllerRevision;
    } catch (error) {
      // One of an owner that was there before may still be about to go.
      if (!(error instanceof StatusError) || error.reason !== 'AlreadyExists' || collisions >= 8) throw error;
    }
  }
}

/** Deletes the oldest revisions beyond the owner's limit. @param isLive Whether pods still are of it. */
export function truncateHistory(
  { storage }: Pick<World, 'storage'>,
  owner: Owner,
  history: History,
  isLive: (revision: ControllerRevision) => boolean,
): void {
  const dead = history.all.filter((each) => each !== history.current && !isLive(each));
  const surplus = dead.length - (owner.spec.revisionHistoryLimit ?? 10);
  for (const { metadata } of dead.slice(0, Math.max(0, surplus))) storage.delete(resource, metadata.namespace, metadata.name);
}
