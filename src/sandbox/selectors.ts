import { isObject, textOf } from './json.js';
import type { ResourceType } from './resources.js';
import { badRequest } from './status.js';
import type { SandboxObject } from './storage.js';

type Labels = Readonly<Record<string, string>>;
type Requirement = (labels: Labels) => boolean;

export interface ListSelector {
  /** Undefined where everything matches, so that a list need not ask. */
  readonly matches: ((object: SandboxObject) => boolean) | undefined;
}

const keyPattern = /^(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const valuePattern = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const noLabels: Labels = {};

/** Whether this is a label's key: an optional DNS prefix, and a name of up to 63 characters. */
export function isLabelKey(key: string): boolean {
  const name = key.slice(key.indexOf('/') + 1);
  return keyPattern.test(key) && name.length <= 63 && key.length - name.length <= 254;
}

export function isLabelValue(value: string): boolean {
  return valuePattern.test(value);
}

/** @throws StatusError 400 where it is no selector. */
export function parseListSelector(type: ResourceType, labelSelector: string, fieldSelector: string): ListSelector {
  const labels = parseLabelSelector(labelSelector);
  const fields = parseFieldSelector(type, fieldSelector);
  if (labels.length === 0 && fields.length === 0) return { matches: undefined };
  return {
    matches: (object) => {
      const own = object.metadata.labels ?? noLabels;
      return labels.every((requirement) => requirement(own)) && fields.every((requirement) => requirement(object));
    },
  };
}

/** Commas inside parentheses belong to a set. */
function splitRequirements(text: string): string[] {
  return text.split(/,(?![^(]*\))/).map((part) => part.trim());
}

function parseLabelSelector(text: string): Requirement[] {
  if (text.trim() === '') return [];
  return splitRequirements(text).map(parseRequirement);
}

function parseRequirement(text: string): Requirement {
  const fail = (why: string): never => {
    throw badRequest(`unable to parse requirement: ${why}`);
  };
  const key = (name: string): string => (isLabelKey(name) ? name : fail(`invalid label key "${name}"`));
  const value = (name: string): string => (isLabelValue(name) ? name : fail(`invalid label value "${name}"`));

  const set = /^(\S+)\s+(in|notin)\s*\((.*)\)$/.exec(text);
  if (set) {
    const name = key(set[1] ?? '');
    const values = new Set((set[3] ?? '').split(',').map((each) => value(each.trim())));
    // What has no such label is not in the set, which `notin` takes.
    return set[2] === 'in'
      ? (labels) => labels[name] !== undefined && values.has(labels[name])
      : (labels) => labels[name] === undefined || !values.has(labels[name]);
  }
  const comparison = /^([^=!<>\s]+)\s*(==|=|!=|<|>)\s*([^=!<>\s]*)$/.exec(text);
  if (comparison) {
    const name = key(comparison[1] ?? '');
    const wanted = value(comparison[3] ?? '');
    if (comparison[2] === '!=') return (labels) => labels[name] !== wanted;
    if (comparison[2] === '=' || comparison[2] === '==') return (labels) => labels[name] === wanted;
    if (!/^-?\d+$/.test(wanted)) fail(`for 'Gt', 'Lt' operators, the value must be an integer`);
    const bound = Number(wanted);
    const isInteger = (labels: Labels): boolean => /^-?\d+$/.test(labels[name] ?? '');
    return comparison[2] === '<'
      ? (labels) => isInteger(labels) && Number(labels[name]) < bound
      : (labels) => isInteger(labels) && Number(labels[name]) > bound;
  }
  const absent = /^!\s*(\S+)$/.exec(text);
  if (absent) {
    const name = key(absent[1] ?? '');
    return (labels) => labels[name] === undefined;
  }
  const name = key(text);
  return (labels) => labels[name] !== undefined;
}

/** Fields that lists of a kind can be narrowed by, beside name and namespace. */
const selectableFields: Readonly<Record<string, readonly string[]>> = {
  pods: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.nominatedNodeName',
  ],
  events: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  nodes: ['spec.unschedulable'],
  namespaces: ['status.phase'],
  secrets: ['type'],
  services: ['spec.clusterIP', 'spec.type'],
  'replicasets.apps': ['status.replicas'],
  'jobs.batch': ['status.successful'],
};

/** A boolean that is not set reads as false, a number as 0. */
const unsetFields: Readonly<Record<string, string>> = {
  'spec.hostNetwork': 'false',
  'spec.unschedulable': 'false',
  'status.replicas': '0',
  'status.successful': '0',
};

function readField(object: SandboxObject, path: string): string {
  if (path === 'source') return textOf((isObject(object.source) ? object.source.component : undefined) ?? object.reportingComponent);
  if (path === 'status.successful') return readField(object, 'status.succeeded') || '0';
  let value: unknown = object;
  for (const key of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[key];
  return value === undefined || value === null ? (unsetFields[path] ?? '') : textOf(value);
}

function parseFieldSelector(type: ResourceType, text: string): ((object: SandboxObject) => boolean)[] {
  if (text.trim() === '') return [];
  const allowed = new Set([
    'metadata.name',
    ...(type.namespaced ? ['metadata.namespace'] : []),
    ...(selectableFields[type.resource] ?? []),
  ]);
  return splitRequirements(text)
    .filter((part) => part !== '')
    .map((part) => {
      const match = /^(.*?)(!=|==|=)(.*)$/.exec(part);
      if (!match) throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`);
      const [, path = '', operator, wanted = ''] = match;
      if (!allowed.has(path)) throw badRequest(`field label not supported: ${path}`);
      const isEqual = operator !== '!=';
      return (object) => (readField(object, path) === wanted) === isEqual;
    });
}
