import { stringify } from 'yaml';
import { ObjectRecord, type KubernetesObject } from '../../k8s/objects.js';
import { readConditions, type Condition } from '../conditions.js';
import { encodeId } from '../ids.js';
import { isObject, keyValues, objectAt, share, textAt, textsAt, type JsonObject, type KeyValue } from '../json.js';

/** Holds a whole copy of the object, secrets and all: it leaves nowhere. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** What the contract's `Resource` has, for every kind of record. */
export abstract class ResourceRecord extends ObjectRecord {
  get id(): string {
    return encodeId(this);
  }
  get labels(): KeyValue[] {
    return labelsOf(this);
  }
  get annotations(): KeyValue[] {
    return annotationsOf(this);
  }
  get finalizers(): readonly string[] {
    return finalizersOf(this);
  }
  get yaml(): string {
    return yamlOf(this);
  }
  get conditions(): Condition[] {
    return readConditions(objectAt(this.object, 'status'));
  }
}

export function labelsOf(record: ObjectRecord): KeyValue[] {
  return isObject(record.labelMap) ? keyValues(record.labelMap) : [];
}

/** Without kubectl's copy of the object. */
export function annotationsOf(record: ObjectRecord): KeyValue[] {
  return readAnnotations(objectAt(record.object, 'metadata'));
}

/** Of any `metadata`, a template's too. */
export function readAnnotations(metadata: JsonObject): KeyValue[] {
  return keyValues(objectAt(metadata, 'annotations')).filter(({ key }) => key !== lastApplied);
}

export function finalizersOf(record: ObjectRecord): readonly string[] {
  return textsAt(objectAt(record.object, 'metadata'), 'finalizers');
}

/** Kind of the owner whose uid is `controllerUid`. */
export function controllerKindOf(object: KubernetesObject): string | undefined {
  const owner = object.metadata.ownerReferences?.find((reference) => reference.controller === true);
  return owner && share(textAt(objectAt(owner), 'kind'));
}

export function yamlOf(record: ObjectRecord): string {
  return toYaml(record.object);
}

/**
 * The object as `kubectl get -o yaml` prints it: keys in order, lists at their parent's column, without managed fields and kubectl's copy.
 * Quoted for readers of YAML 1.1, which the API server's is: `on`, `1_000` and `12:30` stay texts.
 */
export function toYaml(object: KubernetesObject): string {
  const metadata: Record<string, unknown> = { ...object.metadata };
  delete metadata['managedFields'];
  if (isObject(metadata['annotations'])) {
    const kept = Object.entries(metadata['annotations']).filter(([key]) => key !== lastApplied);
    if (kept.length > 0) metadata['annotations'] = Object.fromEntries(kept);
    else delete metadata['annotations'];
  }
  return stringify(
    { ...object, metadata },
    { version: '1.1', sortMapEntries: true, indentSeq: false, lineWidth: 0, aliasDuplicateObjects: false },
  );
}
