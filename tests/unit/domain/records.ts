import type { Kind } from '../../../src/k8s/kind.js';
import type { KubernetesObject, ObjectMeta, ObjectRecord } from '../../../src/k8s/objects.js';
import { toItem, type Draft } from '../../support/objects.js';

/** An object as its kind's API server would list it. */
export function objectOf(kind: Kind, draft: Draft = {}): KubernetesObject {
  const metadata: ObjectMeta = {
    name: 'web',
    ...(kind.namespaced ? { namespace: 'shop' } : {}),
    uid: 'uid-1',
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
    ...draft.metadata,
  };
  return { ...draft, apiVersion: kind.apiVersion, kind: kind.name, metadata };
}

/** The record that a kind makes of an object. */
export function recordOf<R extends ObjectRecord>(kind: Kind<R>, draft: Draft = {}, clusterName = 'east'): R {
  return kind.record({ clusterName, ...toItem(objectOf(kind, draft)) });
}

/** Numbers from 0 to below 1 that are the same in every run. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
