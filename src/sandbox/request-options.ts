import type { Exchange } from './exchange.js';
import { isObject, type JsonObject } from './json.js';
import { badRequest, invalid, type StatusCause, type StatusError } from './status.js';
import type { DeleteOptions } from './storage.js';

/** Options of a list or a watch, checked. */
export interface ListOptions {
  readonly labelSelector: string;
  readonly fieldSelector: string;
  /** Undefined where the client did not say. */
  readonly resourceVersion: number | undefined;
  readonly match: 'Exact' | 'NotOlderThan' | undefined;
  /** Undefined: all. */
  readonly limit: number | undefined;
  readonly continueToken: string;
  readonly watch: boolean;
  readonly sendInitialEvents: boolean;
  readonly allowBookmarks: boolean;
  readonly timeoutSeconds: number | undefined;
}

/** @param kind Such as `ListOptions`. */
function refuse(kind: string, field: string, reason: string, message: string): StatusError {
  const cause: StatusCause = { reason, message, field };
  return invalid({ group: 'meta.k8s.io', kind }, '', [cause]);
}

/** Absent, `false` and `0` are false; anything else is true, as Kubernetes reads it. */
export function flagOf(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}

/** @throws StatusError 400 where it is set and no integer. */
export function integerOf(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null || value === '') return undefined;
  if (!/^[+-]?\d{1,18}$/.test(value)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  return Number(value);
}

/** @throws StatusError 400 where it is set and no version. */
export function versionOf(query: URLSearchParams): number | undefined {
  const value = query.get('resourceVersion');
  if (value === null || value === '') return undefined;
  if (!/^\d{1,15}$/.test(value))
    throw badRequest(
      `invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(value)}: strconv.ParseUint: parsing ${JSON.stringify(value)}: invalid syntax`,
    );
  return Number(value);
}

/** @throws StatusError 400 or 422. */
export function parseListOptions(query: URLSearchParams): ListOptions {
  const isWatch = flagOf(query, 'watch');
  const resourceVersion = versionOf(query);
  const match = query.get('resourceVersionMatch') ?? '';
  const limit = integerOf(query, 'limit');
  const continueToken = query.get('continue') ?? '';
  const sendInitialEvents = query.has('sendInitialEvents') ? flagOf(query, 'sendInitialEvents') : undefined;
  const field = 'resourceVersionMatch';
  const forbid = (where: string, message: string): StatusError =>
    refuse('ListOptions', where, 'FieldValueForbidden', `Forbidden: ${message}`);
  if (isWatch) {
    if (sendInitialEvents !== undefined && match !== 'NotOlderThan')
      throw forbid(field, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan');
    if (sendInitialEvents === undefined && match !== '')
      throw forbid(field, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided');
  } else {
    if (sendInitialEvents !== undefined) throw forbid('sendInitialEvents', 'sendInitialEvents is forbidden for list');
    if (match !== '') {
      if (resourceVersion === undefined) throw forbid(field, 'resourceVersionMatch is forbidden unless resourceVersion is provided');
      if (continueToken !== '') throw forbid(field, 'resourceVersionMatch is forbidden when continue is provided');
      if (match !== 'Exact' && match !== 'NotOlderThan')
        throw refuse(
          'ListOptions',
          field,
          'FieldValueNotSupported',
          `Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan", ""`,
        );
      if (match === 'Exact' && resourceVersion === 0)
        throw forbid(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
    }
    if (continueToken !== '' && resourceVersion !== undefined && resourceVersion !== 0)
      throw badRequest('specifying resource version is not allowed when using continue');
  }
  return {
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
    resourceVersion,
    match: match === 'Exact' || match === 'NotOlderThan' ? match : undefined,
    limit: limit === undefined || limit <= 0 ? undefined : limit,
    continueToken,
    watch: isWatch,
    sendInitialEvents: sendInitialEvents ?? false,
    allowBookmarks: flagOf(query, 'allowWatchBookmarks'),
    timeoutSeconds: integerOf(query, 'timeoutSeconds'),
  };
}

/** @throws StatusError 422 for anything but `All`. */
export function dryRunOf(values: readonly string[], kind: string): boolean {
  const wrong = values.find((value) => value !== 'All');
  if (wrong !== undefined)
    throw refuse(kind, 'dryRun', 'FieldValueNotSupported', `Unsupported value: ${JSON.stringify(wrong)}: supported values: "All"`);
  return values.length > 0;
}

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

/** Options of a create, an update or a patch. */
export interface WriteRequest {
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
}

/** @throws StatusError 422. */
export function parseWriteOptions(query: URLSearchParams, kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions'): WriteRequest {
  const fieldValidation = query.get('fieldValidation') ?? '';
  if (fieldValidation !== '' && fieldValidation !== 'Ignore' && fieldValidation !== 'Warn' && fieldValidation !== 'Strict')
    throw refuse(
      kind,
      'fieldValidation',
      'FieldValueNotSupported',
      `Unsupported value: ${JSON.stringify(fieldValidation)}: supported values: "", "Ignore", "Strict", "Warn"`,
    );
  return { dryRun: dryRunOf(query.getAll('dryRun'), kind), fieldValidation: fieldValidation === '' ? 'Warn' : fieldValidation };
}

/** A deletion's options come in the body or in the query; the body wins. @throws StatusError 400, 415, 422. */
export async function readDeleteOptions(exchange: Exchange): Promise<{ options: DeleteOptions; dryRun: boolean }> {
  const body = await exchange.body('DeleteOptions');
  return deleteOptionsFrom(body ?? fromQuery(exchange.query));
}

function fromQuery(query: URLSearchParams): JsonObject {
  return {
    gracePeriodSeconds: integerOf(query, 'gracePeriodSeconds'),
    propagationPolicy: query.get('propagationPolicy') ?? undefined,
    orphanDependents: query.has('orphanDependents') ? flagOf(query, 'orphanDependents') : undefined,
    dryRun: query.getAll('dryRun'),
  };
}

/** @throws StatusError 400 or 422. */
export function deleteOptionsFrom(given: JsonObject): { options: DeleteOptions; dryRun: boolean } {
  const { gracePeriodSeconds, propagationPolicy, orphanDependents, preconditions, dryRun = [], kind } = given;
  const isWrong =
    (kind !== undefined && kind !== 'DeleteOptions') ||
    (gracePeriodSeconds !== undefined && gracePeriodSeconds !== null && !Number.isSafeInteger(gracePeriodSeconds)) ||
    (preconditions !== undefined && preconditions !== null && !isObject(preconditions)) ||
    !Array.isArray(dryRun);
  if (isWrong) throw badRequest('the object provided is unrecognized (must be of type DeleteOptions)');
  const options: DeleteOptions = {};
  if (typeof gracePeriodSeconds === 'number') options.gracePeriodSeconds = gracePeriodSeconds;
  if (propagationPolicy !== undefined && propagationPolicy !== null) {
    if (propagationPolicy !== 'Background' && propagationPolicy !== 'Foreground' && propagationPolicy !== 'Orphan')
      throw refuse(
        'DeleteOptions',
        'propagationPolicy',
        'FieldValueNotSupported',
        `Unsupported value: ${JSON.stringify(propagationPolicy)}: supported values: "Background", "Foreground", "Orphan"`,
      );
    options.propagationPolicy = propagationPolicy;
  } else if (typeof orphanDependents === 'boolean') options.propagationPolicy = orphanDependents ? 'Orphan' : 'Background';
  if (isObject(preconditions)) {
    const { uid, resourceVersion } = preconditions;
    options.preconditions = {
      ...(typeof uid === 'string' ? { uid } : {}),
      ...(typeof resourceVersion === 'string' ? { resourceVersion } : {}),
    };
  }
  return { options, dryRun: dryRunOf(dryRun.map(String), 'DeleteOptions') };
}
