import { GraphQLError, type DocumentNode, type ExecutionResult } from 'graphql';
import { GatewayError } from '../errors.js';
import type { Kind } from '../k8s/kind.js';
import type { Execution, Executor } from './executor.js';

export interface OperationsOptions {
  readonly executor: Executor;
  /** The kinds that a document can reach; asked once per document. */
  kindsOf(document: DocumentNode, operationName: string | undefined): readonly Kind[];
  /** True at once where every cluster has synced these kinds, or failed to once. */
  isSettled(kinds: readonly Kind[]): boolean;
  /** Resolves when `isSettled`, or after `timeoutMs`. */
  settle(kinds: readonly Kind[], timeoutMs: number, signal: AbortSignal): Promise<void>;
  /** How long an operation waits for a first sync, in milliseconds. */
  readonly syncTimeoutMs: number;
}

/** Runs operations once what they read is there, and not for longer than their deadline. Both transports come through here. */
export class Operations {
  readonly #options: OperationsOptions;
  readonly #kinds = new WeakMap<DocumentNode, Map<string | undefined, readonly Kind[]>>();

  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  run(execution: Execution): ExecutionResult | Promise<ExecutionResult> {
    const { executor, isSettled } = this.#options;
    if (!isSettled(this.#kindsOf(execution.document, execution.operationName))) return this.#runWhenReady(execution);
    const result = executor.run(execution);
    return result instanceof Promise ? withinDeadline(result, execution.context.signal) : result;
  }

  /** @throws GatewayError `UNAVAILABLE` where the first sync of a kind takes longer than the limit. */
  async ready(document: DocumentNode, operationName: string | undefined, signal: AbortSignal): Promise<void> {
    const kinds = this.#kindsOf(document, operationName);
    const { isSettled, settle, syncTimeoutMs } = this.#options;
    if (isSettled(kinds)) return;
    await settle(kinds, syncTimeoutMs, signal);
    if (!isSettled(kinds)) throw new GatewayError('UNAVAILABLE', 'The gateway is still reading its clusters; try again in a moment.');
  }

  async #runWhenReady(execution: Execution): Promise<ExecutionResult> {
    const { document, operationName, context } = execution;
    try {
      await this.ready(document, operationName, context.signal);
    } catch (error) {
      return failure(error, 503);
    }
    return withinDeadline(Promise.resolve(this.#options.executor.run(execution)), context.signal);
  }

  #kindsOf(document: DocumentNode, operationName: string | undefined): readonly Kind[] {
    let byOperation = this.#kinds.get(document);
    if (byOperation === undefined) this.#kinds.set(document, (byOperation = new Map<string | undefined, readonly Kind[]>()));
    let kinds = byOperation.get(operationName);
    if (kinds === undefined) byOperation.set(operationName, (kinds = this.#options.kindsOf(document, operationName)));
    return kinds;
  }
}

function withinDeadline(result: Promise<ExecutionResult>, signal: AbortSignal): Promise<ExecutionResult> {
  return new Promise((resolve, reject) => {
    const onAbort = () => resolve(failure(new GatewayError('TIMEOUT', 'The request took too long.'), 504));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function failure(error: unknown, status: number): ExecutionResult {
  const original = error instanceof Error ? error : new Error(String(error));
  return { errors: [new GraphQLError(original.message, { originalError: original, extensions: { http: { status } } })] };
}
