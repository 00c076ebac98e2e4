const prefix = 'sandbox.openstack.org/';

/** Annotations that decide what a pod's containers do; docs/sandbox.md tells users of each. `<name>.<container>` is for one container alone. */
export type SteeringKey =
  | 'run-seconds'
  | 'exit-code'
  | 'crash-after-seconds'
  | 'oom-after-seconds'
  | 'crash-times'
  | 'ready-seconds'
  | 'pull-seconds'
  | 'stop-seconds'
  | 'log-lines-per-second'
  | 'log-text';

type Annotations = Readonly<Record<string, string>> | undefined;

/** The one for the container wins. @param ownOnly Whether one for the whole pod does not count. */
export function steer(annotations: Annotations, key: SteeringKey, container: string, ownOnly = false): string | undefined {
  return annotations?.[`${prefix}${key}.${container}`] ?? (ownOnly ? undefined : annotations?.[prefix + key]);
}

/** `never` is Infinity; undefined where it is not set, or no number of at least 0. */
export function steerNumber(annotations: Annotations, key: SteeringKey, container: string, ownOnly = false): number | undefined {
  const text = steer(annotations, key, container, ownOnly);
  if (text === undefined || text.trim() === '') return undefined;
  const number = text === 'never' ? Infinity : Number(text);
  return number >= 0 ? number : undefined;
}

/** How a node's kubelet is: it works, it works and says that it cannot, or nobody hears of it. */
export type NodeState = 'ready' | 'not-ready' | 'unreachable';

export function nodeStateOf({ metadata }: { metadata: { annotations?: Annotations } }): NodeState {
  const state = metadata.annotations?.[`${prefix}state`];
  return state === 'not-ready' || state === 'unreachable' ? state : 'ready';
}
