import {
  matchesExpression,
  matchesSelector,
  type ClusterNode,
  type NodeSelectorTerm,
  type Pod,
  type PodAffinityTerm,
  type Taint,
  type Toleration,
} from './shapes.js';

export function tolerates(tolerations: readonly Toleration[] | undefined, taint: Taint): boolean {
  return tolerationOf(tolerations, taint) !== undefined;
}

/** The first toleration that the taint falls under. */
export function tolerationOf(tolerations: readonly Toleration[] = [], taint: Taint): Toleration | undefined {
  return tolerations.find(({ key = '', operator = 'Equal', value = '', effect = '' }) => {
    if (effect !== '' && effect !== taint.effect) return false;
    if (key !== '' && key !== taint.key) return false;
    if (operator === 'Exists') return true;
    return key !== '' && operator === 'Equal' && value === (taint.value ?? '');
  });
}

/** The first taint with one of those effects that the pod does not tolerate. */
export function untolerated(pod: Pick<Pod, 'spec'>, node: ClusterNode, effects: readonly string[]): Taint | undefined {
  return node.spec?.taints?.find((taint) => effects.includes(taint.effect) && !tolerates(pod.spec.tolerations, taint));
}

/** Whether the node has the labels that the pod's node selector and its required node affinity ask for. */
export function matchesNode({ spec }: Pick<Pod, 'spec'>, node: ClusterNode): boolean {
  const labels = node.metadata.labels ?? {};
  for (const [key, value] of Object.entries(spec.nodeSelector ?? {})) if (labels[key] !== value) return false;
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || required.nodeSelectorTerms.some((term) => matchesTerm(term, node));
}

function matchesTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, { metadata }: ClusterNode): boolean {
  // A term that asks for nothing selects nothing.
  if (matchExpressions.length + matchFields.length === 0) return false;
  return (
    matchExpressions.every((each) => matchesExpression(each, metadata.labels?.[each.key])) &&
    matchFields.every((each) => matchesExpression(each, each.key === 'metadata.name' ? metadata.name : undefined))
  );
}

/** How much the pod would like the node: the weights of the preferred terms that it meets. */
export function preferenceFor({ spec }: Pod, node: ClusterNode): number {
  const preferred = spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return preferred.reduce((sum, { weight, preference }) => sum + (matchesTerm(preference, node) ? weight : 0), 0);
}

/** Whether the term of another pod means this one. @param home Namespace of that other pod. */
export function matchesPod(
  term: PodAffinityTerm,
  home: string | undefined,
  pod: Pod,
  labelsOf: (namespace: string) => Record<string, string> | undefined,
): boolean {
  const { namespace = '' } = pod.metadata;
  const { namespaces, namespaceSelector } = term;
  const isNear =
    (namespaces?.includes(namespace) ?? false) ||
    (namespaceSelector !== undefined && matchesSelector(namespaceSelector, labelsOf(namespace))) ||
    (namespaces === undefined && namespaceSelector === undefined && namespace === home);
  return isNear && matchesSelector(term.labelSelector, pod.metadata.labels);
}
