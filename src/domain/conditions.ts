import { instantAt, objectsAt, textAt, type JsonObject } from './json.js';

/** As the contract's `Condition`. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly lastTransitionAt: string | undefined;
}

/** `status.conditions` of any object, in its own order. One without a type is none. */
export function readConditions(status: JsonObject): Condition[] {
  const result: Condition[] = [];
  for (const condition of objectsAt(status, 'conditions')) {
    const type = textAt(condition, 'type');
    if (type === undefined) continue;
    result.push({
      type,
      status: textAt(condition, 'status') ?? 'Unknown',
      reason: textAt(condition, 'reason'),
      message: textAt(condition, 'message'),
      lastTransitionAt: instantAt(condition, 'lastTransitionTime'),
    });
  }
  return result;
}
