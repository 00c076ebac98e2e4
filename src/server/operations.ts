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

/**
 * Runs operations once what they read is there, for no longer than their deadline and their budget last: who runs into either is answered with that one error
 * and no data, whatever was found until then. Both transports come through here.
 */
export class Operations {
  readonly #options: OperationsOptions;
  readonly #kinds = new WeakMap<DocumentNode, Map<string | undefined, readonly Kind[]>>();

  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  run(execution: Execution): ExecutionResult | Promise<ExecutionResult> {
    return this.#options.isSettled(this.#kindsOf(execution.document, execution.operationName))
      ? this.#runNow(execution)
      : this.#runWhenReady(execution);
  }

  /** @throws GatewayError `UNAVAILABLE` where the first sync of a kind takes longer than the limit. */
  async ready(document: DocumentNode, operationName: string | undefined, signal: AbortSignal): Promise<void> {
    const kinds = this.#kindsOf(document, operationName);
    const { isSettled, settle, syncTimeoutMs } = this.#options;
    if (isSettled(kinds)) return;
    await settle(kinds, syncTimeoutMs, signal);
    if (signal.aborted) throw reasonOf(signal);
    if (!isSettled(kinds)) throw new GatewayError('UNAVAILABLE', 'The gateway is still reading its clusters; try again in a moment.');
  }

  async #runWhenReady(execution: Execution): Promise<ExecutionResult> {
    const { document, operationName, context } = execution;
    try {
      await this.ready(document, operationName, context.signal);
    } catch (error) {
      return failure(error);
    }
    return this.#runNow(execution);
  }

  #runNow(execution: Execution): ExecutionResult | Promise<ExecutionResult> {
    const { budget, signal } = execution.context;
    let spent: GatewayError | undefined;
    let end: ((error: GatewayError) => void) | undefined;
    budget.whenSpent((error) => {
      spent = error;
      end?.(error);
    });
    const result = this.#options.executor.run(execution);
    if (spent !== undefined) return failure(spent);
    if (!(result instanceof Promise)) return result;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => end?.(reasonOf(signal));
      const settle = (): void => {
        end = undefined;
        signal.removeEventListener('abort', onAbort);
      };
      end = (error) => {
        settle();
        resolve(failure(error));
      };
      result.then(resolve, reject).finally(settle);
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  #kindsOf(document: DocumentNode, operationName: string | undefined): readonly Kind[] {
    let byOperation = this.#kinds.get(document);
    if (byOperation === undefined) this.#kinds.set(document, (byOperation = new Map<string | undefined, readonly Kind[]>()));
    let kinds = byOperation.get(operationName);
    if (kinds === undefined) byOperation.set(operationName, (kinds = this.#options.kindsOf(document, operationName)));
    return kinds;
  }
}

function reasonOf(signal: AbortSignal): GatewayError {
  return signal.reason instanceof GatewayError ? signal.reason : new GatewayError('TIMEOUT', 'The request took too long.');
}

function failure(error: unknown): ExecutionResult {
  const original = error instanceof Error ? error : new Error(String(error));
  return { errors: [new GraphQLError(original.message, { originalError: original })] };
}
