import { GraphQLError, parse, validate, type DocumentNode, type ExecutionResult, type GraphQLSchema } from 'graphql';
import { formatError } from '../../src/schema/format-error.js';
import type { Context } from '../../src/schema/context.js';
import { Executor } from '../../src/server/executor.js';
import { operationOf, shapeOf } from '../../src/server/measure.js';

/** An answer as far as two engines must agree: the data, and where errors of which code stand. */
export interface Outcome {
  readonly data: unknown;
  /** `path code`, sorted. What lies below a path that is null already is left out: engines find different ones of those. */
  readonly errors: readonly string[];
  /** Paths that are null because of something below them, sorted. */
  readonly emptied: readonly string[];
  /** What is wrong with the request, word by word. */
  readonly refused: readonly unknown[];
}

/** Runs documents by graphql-js, and by compiled code wherever the executor thinks that they are fit for it. */
export class Engines {
  readonly #schema: GraphQLSchema;
  readonly #contextOf: () => Context;
  readonly #interpreter: Executor;
  readonly #compiler: Executor;
  /** Runs by compiled code. */
  compiled = 0;

  constructor(schema: GraphQLSchema, contextOf: () => Context) {
    this.#schema = schema;
    this.#contextOf = contextOf;
    this.#interpreter = new Executor(schema, { compileAt: Infinity });
    this.#compiler = new Executor(schema, {
      compileAt: 1,
      onRun: (engine) => {
        if (engine === 'compiled') this.compiled += 1;
      },
    });
  }

  /** Undefined where the document is not valid, or too large to be compiled. */
  documentOf(query: string): DocumentNode | undefined {
    const document = parse(query);
    const operation = operationOf(document, undefined);
    if (operation === undefined || validate(this.#schema, document).length > 0) return undefined;
    return shapeOf(document, operation).fields > 200 ? undefined : document;
  }

  async both(
    document: DocumentNode,
    variables: Readonly<Record<string, unknown>> = {},
  ): Promise<{ interpreted: Outcome; compiled: Outcome }> {
    const [interpreted, compiled] = [this.#interpreter, this.#compiler].map((executor) =>
      executor.run({ document, operationName: undefined, variables, context: this.#contextOf() }),
    );
    return { interpreted: outcomeOf(await interpreted), compiled: outcomeOf(await compiled) };
  }
}

function outcomeOf(result: ExecutionResult | undefined): Outcome {
  if (result === undefined) throw new Error('There was no result.');
  const formatted = (result.errors ?? []).map((error) => {
    if (!(error instanceof GraphQLError)) throw new Error('An error that is no GraphQLError would be taken for a bug.');
    return formatError(error, { requestId: 'r', onFailure: () => undefined });
  });
  if (result.data === undefined) return { data: undefined, errors: [], emptied: [], refused: formatted };
  const data = JSON.parse(JSON.stringify(result.data)) as unknown;
  const errors = new Set<string>();
  const emptied = new Set<string>();
  for (const { path = [], extensions } of formatted) {
    const at = nullAt(data, path);
    if (at < path.length) emptied.add(path.slice(0, at).join('.'));
    else errors.add(`${path.join('.')} ${String(extensions?.['code'])}`);
  }
  return { data, errors: [...errors].sort(), emptied: [...emptied].sort(), refused: [] };
}

/** How many steps of the path lead to the first null. */
function nullAt(data: unknown, path: readonly (string | number)[]): number {
  let value = data;
  for (const [index, key] of path.entries()) {
    if (value === null || value === undefined) return index;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return path.length;
}
