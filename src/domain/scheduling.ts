import { labelMatcher, type LabelRequirement, type LabelSelector } from '../k8s/label-selector.js';
import {
  intAt,
  keyValues,
  nameIn,
  objectAt,
  objectsAt,
  optionalObjectAt,
  secondsAt,
  textAt,
  textsAt,
  type JsonObject,
  type KeyValue,
} from './json.js';
import { taintEffects, type TaintEffect } from './kinds/nodes.js';

export type TolerationOperator = 'EQUAL' | 'EXISTS' | 'LT' | 'GT';

/** As the contract's `Toleration`. */
export interface Toleration {
  readonly key: string | undefined;
  readonly operator: TolerationOperator | undefined;
  readonly value: string | undefined;
  readonly effect: TaintEffect | undefined;
  readonly tolerationSeconds: number | undefined;
}

/** As the contract's `NodeAffinityTerm`. Of several that are required, one is enough, as in Kubernetes. */
export interface NodeAffinityTerm {
  readonly weight: number | undefined;
  readonly labelSelector: string;
}

/** As the contract's `PodAffinityTerm`. */
export interface PodAffinityTerm {
  readonly weight: number | undefined;
  readonly labelSelector: string;
  readonly topologyKey: string;
  readonly anti: boolean;
}

/** As the contract's `Scheduling`. */
export interface Scheduling {
  readonly nodeSelector: readonly KeyValue[];
  readonly nodeNames: readonly string[];
  readonly spreadAcrossNodes: boolean;
  readonly tolerations: readonly Toleration[];
  readonly nodeAffinity: readonly NodeAffinityTerm[];
  readonly podAffinity: readonly PodAffinityTerm[];
}

const tolerationOperators: ReadonlyMap<string, TolerationOperator> = new Map([
  ['Equal', 'EQUAL'],
  ['Exists', 'EXISTS'],
  ['Lt', 'LT'],
  ['Gt', 'GT'],
]);

const nodeNameField = 'metadata.name';
const hostnameLabel = 'kubernetes.io/hostname';
const required = 'requiredDuringSchedulingIgnoredDuringExecution';
const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';

/**
 * Where a pod may run, from its spec.
 * @param labels Of the pods: tells whether an affinity concerns the pod's own kind.
 * @param selector `spec.selector` of the workload; empty where it has none.
 */
export function readScheduling(spec: JsonObject, labels: readonly KeyValue[], selector: JsonObject): Scheduling {
  const affinity = objectAt(spec, 'affinity');
  const nodes = readNodeAffinity(objectAt(affinity, 'nodeAffinity'));
  const nodeName = textAt(spec, 'nodeName');
  return {
    nodeSelector: keyValues(objectAt(spec, 'nodeSelector')),
    nodeNames: nodeName === undefined ? nodes.names : [nodeName],
    tolerations: objectsAt(spec, 'tolerations').map(readToleration),
    nodeAffinity: nodes.terms,
    ...readPodAffinity(affinity, labels, selector),
  };
}

function readToleration(toleration: JsonObject): Toleration {
  return {
    key: textAt(toleration, 'key'),
    // The API server writes no operator down where none is given: it means Equal.
    operator: nameIn(tolerationOperators, textAt(toleration, 'operator') ?? 'Equal'),
    value: textAt(toleration, 'value'),
    effect: nameIn(taintEffects, toleration['effect']),
    tolerationSeconds: secondsAt(toleration, 'tolerationSeconds'),
  };
}

function readNodeAffinity(affinity: JsonObject): { names: readonly string[]; terms: readonly NodeAffinityTerm[] } {
  const terms = objectsAt(objectAt(affinity, required), 'nodeSelectorTerms').filter(isTermOfNodes);
  const names = commonNames(terms);
  // Names that are told as such are not told again.
  const texts = new Set(terms.map((term) => selectorText(requirementsOfTerm(term, names.length === 0))));
  texts.delete('');
  return {
    names,
    terms: [
      ...[...texts].map((labelSelector) => ({ weight: undefined, labelSelector })),
      ...objectsAt(affinity, preferred).flatMap((entry) => {
        const term = objectAt(entry, 'preference');
        return isTermOfNodes(term)
          ? { weight: intAt(entry, 'weight') ?? 1, labelSelector: selectorText(requirementsOfTerm(term, true)) }
          : [];
      }),
    ],
  };
}

/** A term that asks for nothing selects nothing, as Kubernetes has it. */
function isTermOfNodes(term: JsonObject): boolean {
  return objectsAt(term, 'matchExpressions').length > 0 || objectsAt(term, 'matchFields').length > 0;
}

function requirementsOfTerm(term: JsonObject, withFields: boolean): LabelSelector {
  const expressions = objectsAt(term, 'matchExpressions').flatMap(readRequirement);
  return withFields ? [...expressions, ...objectsAt(term, 'matchFields').flatMap(readRequirement)] : expressions;
}

/**
 * The names of nodes that all terms together come to, where names are all that tells the terms apart: Kubernetes takes one name per term, so that
 * three nodes in two zones are six terms. Empty where that is not so.
 */
function commonNames(terms: readonly JsonObject[]): readonly string[] {
  const namesByRest = new Map<string, Set<string>>();
  for (const term of terms) {
    const names = namesOf(term);
    if (names === undefined) return [];
    const rest = selectorText(requirementsOfTerm(term, false));
    const known = namesByRest.get(rest) ?? new Set();
    for (const name of names) known.add(name);
    namesByRest.set(rest, known);
  }
  const [first, ...others] = namesByRest.values();
  if (first === undefined) return [];
  return others.every((names) => names.size === first.size && [...names].every((name) => first.has(name))) ? [...first].sort() : [];
}

/** Undefined where the term does not say which nodes by name, or says more by fields than that. */
function namesOf(term: JsonObject): readonly string[] | undefined {
  const [field, ...more] = objectsAt(term, 'matchFields').flatMap(readRequirement);
  return field?.operator === 'IN' && field.key === nodeNameField && more.length === 0 ? field.values : undefined;
}

function readPodAffinity(
  affinity: JsonObject,
  labels: readonly KeyValue[],
  selector: JsonObject,
): Pick<Scheduling, 'spreadAcrossNodes' | 'podAffinity'> {
  const ownLabels = Object.fromEntries(labels.map(({ key, value }) => [key, value]));
  // Ways to write that pods keep away from their own kind. Empty is everybody, which is more than that.
  const ownSelectors = new Set([requirementsOf(selector), pairsOf(labels.filter(({ key }) => !isGenerated(key)))].map(selectorText));
  ownSelectors.delete('');
  let spreadAcrossNodes = false;
  const podAffinity: PodAffinityTerm[] = [];
  for (const [field, anti] of [
    ['podAffinity', false],
    ['podAntiAffinity', true],
  ] as const) {
    const terms = objectAt(affinity, field);
    for (const term of objectsAt(terms, required)) {
      const requirements = selectorOfTerm(term);
      if (requirements === undefined) continue;
      const labelSelector = selectorText(requirements);
      if (anti && isOnePerNode(term) && labelMatcher(requirements)(ownLabels)) {
        spreadAcrossNodes = true;
        // It says no more than that.
        if (ownSelectors.has(labelSelector)) continue;
      }
      podAffinity.push({ weight: undefined, labelSelector, topologyKey: textAt(term, 'topologyKey') ?? '', anti });
    }
    for (const entry of objectsAt(terms, preferred)) {
      const term = objectAt(entry, 'podAffinityTerm');
      const requirements = selectorOfTerm(term);
      if (requirements === undefined) continue;
      podAffinity.push({
        weight: intAt(entry, 'weight') ?? 1,
        labelSelector: selectorText(requirements),
        topologyKey: textAt(term, 'topologyKey') ?? '',
        anti,
      });
    }
  }
  return { spreadAcrossNodes, podAffinity };
}

/** A label that the controller of a job puts on its pods. */
function isGenerated(key: string): boolean {
  return key.startsWith('batch.kubernetes.io/') || key === 'controller-uid' || key === 'job-name';
}

/** Undefined where there is none: that selects no pod, and there is no text for it. */
function selectorOfTerm(term: JsonObject): LabelSelector | undefined {
  const selector = optionalObjectAt(term, 'labelSelector');
  return selector && requirementsOf(selector);
}

/** Looks at whole nodes, in the pod's own namespace, and at pods of every version of the template. */
function isOnePerNode(term: JsonObject): boolean {
  return (
    term['topologyKey'] === hostnameLabel &&
    textsAt(term, 'namespaces').length === 0 &&
    textsAt(term, 'matchLabelKeys').length === 0 &&
    textsAt(term, 'mismatchLabelKeys').length === 0 &&
    optionalObjectAt(term, 'namespaceSelector') === undefined
  );
}

/** Of a `LabelSelector` of Kubernetes. */
function requirementsOf(selector: JsonObject): LabelSelector {
  return [...pairsOf(keyValues(objectAt(selector, 'matchLabels'))), ...objectsAt(selector, 'matchExpressions').flatMap(readRequirement)];
}

function pairsOf(labels: readonly KeyValue[]): LabelSelector {
  return labels.map(({ key, value }) => ({ key, operator: 'IN', values: [value] }));
}

const integerPattern = /^[+-]?\d{1,18}$/;

/** Empty for what no API server takes. */
function readRequirement(expression: JsonObject): LabelRequirement | [] {
  const key = textAt(expression, 'key');
  const values = textsAt(expression, 'values');
  if (key === undefined) return [];
  switch (expression['operator']) {
    case 'In':
      return { key, operator: 'IN', values };
    case 'NotIn':
      return { key, operator: 'NOT_IN', values };
    case 'Exists':
      return { key, operator: 'EXISTS' };
    case 'DoesNotExist':
      return { key, operator: 'NOT_EXISTS' };
    case 'Gt':
    case 'Lt': {
      const [than = ''] = values;
      return integerPattern.test(than) ? { key, operator: expression['operator'] === 'Gt' ? 'GREATER' : 'LESS', than: BigInt(than) } : [];
    }
    default:
      return [];
  }
}

/** Kubernetes' text syntax, in the order of the keys: equal selectors are equal texts. */
function selectorText(selector: LabelSelector): string {
  return selector.map(requirementText).sort(compareRequirements).join(',');
}

function requirementText(requirement: LabelRequirement): string {
  const { key, operator } = requirement;
  switch (operator) {
    case 'IN':
    case 'NOT_IN': {
      const [only, ...others] = new Set(requirement.values);
      if (only !== undefined && others.length === 0) return `${key}${operator === 'IN' ? '=' : '!='}${only}`;
      return `${key} ${operator === 'IN' ? 'in' : 'notin'} (${[...new Set(requirement.values)].sort().join(',')})`;
    }
    case 'EXISTS':
      return key;
    case 'NOT_EXISTS':
      return `!${key}`;
    case 'GREATER':
      return `${key}>${requirement.than}`;
    case 'LESS':
      return `${key}<${requirement.than}`;
  }
}

function compareRequirements(one: string, other: string): number {
  const [oneKey, otherKey] = [one.replace(/^!/, ''), other.replace(/^!/, '')];
  return oneKey < otherKey ? -1 : oneKey > otherKey ? 1 : 0;
}
