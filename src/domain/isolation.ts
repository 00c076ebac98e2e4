import { settings, type Config } from '../config.js';
import type { Reader } from '../k8s/reader.js';
import type { NodeRecord } from './kinds/nodes.js';
import { runtimeClasses } from './kinds/runtime-classes.js';

/** As the contract's `Isolation`: a kernel of its own, the node's kernel, or a runtime that the configuration does not know. */
export type Isolation = 'SECURE' | 'STANDARD' | 'UNKNOWN';

/** The first whose pattern a runtime class's handler matches decides. */
export type IsolationPatterns = readonly { readonly handler: RegExp; readonly isolation: 'SECURE' | 'STANDARD' }[];

/** As configured; what is not listed is never taken for secure. A handler goes for itself and for its variants: `kata` for `kata-qemu`, too. */
export function isolationPatternsOf({
  secureHandlers,
  standardHandlers,
}: Pick<Config, 'secureHandlers' | 'standardHandlers'>): IsolationPatterns {
  const patternOf = (handler: string): RegExp => new RegExp(`^${handler}(?:-|$)`);
  return [
    ...standardHandlers.map((handler) => ({ handler: patternOf(handler), isolation: 'STANDARD' as const })),
    ...secureHandlers.map((handler) => ({ handler: patternOf(handler), isolation: 'SECURE' as const })),
  ];
}

export const defaultIsolationPatterns: IsolationPatterns = isolationPatternsOf({
  secureHandlers: settings.secureHandlers.default,
  standardHandlers: settings.standardHandlers.default,
});

/** A pod, a workload or a pod template: what may name a runtime class. */
export interface RunsOn {
  readonly clusterName: string;
  readonly runtimeClassName: string | undefined;
}

export function isolationOfHandler(handler: string, patterns: IsolationPatterns): Isolation {
  return patterns.find((entry) => entry.handler.test(handler))?.isolation ?? 'UNKNOWN';
}

/** Who names no runtime class gets the node's default runtime, which shares its kernel. A class that the cluster does not have is unknown. */
export function isolationOf(runsOn: RunsOn, reader: Reader, patterns: IsolationPatterns): Isolation {
  if (runsOn.runtimeClassName === undefined) return 'STANDARD';
  const runtimeClass = reader.get(runtimeClasses, { cluster: runsOn.clusterName, name: runsOn.runtimeClassName });
  return runtimeClass === undefined ? 'UNKNOWN' : isolationOfHandler(runtimeClass.handler, patterns);
}

/** All that isolation takes from other objects, as one short text: equal texts are equal isolations, whatever the patterns. */
export function isolationSignature(runsOn: RunsOn, reader: Reader): string {
  if (runsOn.runtimeClassName === undefined) return '';
  return reader.get(runtimeClasses, { cluster: runsOn.clusterName, name: runsOn.runtimeClassName })?.handler ?? '?';
}

/** Set by Kata's installer on the nodes it works on: `false` until the node is ready. */
const kataLabel = 'katacontainers.io/kata-runtime';

/**
 * Whether a node can run secure workloads: whether its container runtime has the handler of a class that is secure. The installer's label decides
 * where the kubelet says nothing of handlers. Undefined where neither tells.
 */
export function supportsSecure(node: NodeRecord, reader: Reader, patterns: IsolationPatterns): boolean | undefined {
  const { runtimeHandlers } = node;
  if (runtimeHandlers !== undefined) {
    return reader
      .related(runtimeClasses, node.clusterName, 'cluster', node.clusterName)
      .some(({ handler }) => runtimeHandlers.includes(handler) && isolationOfHandler(handler, patterns) === 'SECURE');
  }
  const label = Object.hasOwn(node.labelMap, kataLabel) ? node.labelMap[kataLabel] : undefined;
  return label === 'true' ? true : label === 'false' ? false : undefined;
}
