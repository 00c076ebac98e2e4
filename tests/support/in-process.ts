import { createSourceEventStream, parse, type ExecutionResult, type GraphQLSchema } from 'graphql';
import { readTokenData } from '../../src/auth/token-data.js';
import { digestOfToken, TokenAuthenticator } from '../../src/auth/token-file.js';
import { defaultIsolationPatterns } from '../../src/domain/isolation.js';
import { watchedKinds } from '../../src/domain/kinds/index.js';
import type { Kind } from '../../src/k8s/kind.js';
import { StoreReader } from '../../src/k8s/store-reader.js';
import { buildGatewaySchema } from '../../src/resolvers/schema.js';
import { formatError } from '../../src/schema/format-error.js';
import { ContextFactory } from '../../src/server/context.js';
import { Executor } from '../../src/server/executor.js';
import { MemoryRegistry, type ClusterOfTest } from './memory-registry.js';
import { projectLabel, type MemoryCluster } from './objects.js';

const gatewaySchema = buildGatewaySchema();

/** What an answer looks like on every transport: as the client gets it. */
export interface Answer {
  readonly data?: Readonly<Record<string, any>> | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions?: Readonly<Record<string, unknown>>;
  }[];
}

/** A user as a token file has it, but for the token, which is the id. */
export interface User {
  readonly id: string;
  readonly cloudAdmin?: boolean;
  readonly roles?: Readonly<Record<string, string>>;
  readonly departments?: Readonly<Record<string, string>>;
}

export interface InProcessOptions {
  readonly clusters: readonly ClusterOfTest[];
  readonly users: readonly User[];
  /** As a token file has them. */
  readonly projects?: readonly object[];
  /** As in `ExecutorOptions`. Default: documents are never compiled. */
  readonly compileAt?: number;
  readonly schema?: GraphQLSchema;
  readonly maxObjects?: number;
  readonly now?: () => number;
}

/** The gateway without its front: from documents to answers, over stores that the test writes. */
export class InProcessGateway {
  readonly #options: InProcessOptions;
  readonly #schema: GraphQLSchema;
  readonly #executor: Executor;
  readonly #clusters: MemoryRegistry;
  readonly #tokens: TokenAuthenticator;
  readonly #contexts: ContextFactory;
  readonly #end = new AbortController();
  readonly #documents = new Map<string, ReturnType<typeof parse>>();
  #requests = 0;

  constructor(options: InProcessOptions) {
    const { schema = gatewaySchema, compileAt = Number.POSITIVE_INFINITY, maxObjects = 20_000, now = Date.now } = options;
    this.#options = options;
    this.#schema = schema;
    this.#executor = new Executor(schema, { compileAt });
    this.#tokens = new TokenAuthenticator(this.#tokenData(options.users), Date.now);
    this.#clusters = new MemoryRegistry(options.clusters, watchedKinds);
    this.#contexts = new ContextFactory({
      reader: new StoreReader(this.#clusters.sources, { projectLabel }),
      clusters: this.#clusters,
      projects: this.#tokens.projects,
      isolationPatterns: defaultIsolationPatterns,
      budget: { maxObjects },
      now,
    });
  }

  async query(viewer: string, text: string, variables?: Readonly<Record<string, unknown>>): Promise<Answer> {
    const context = await this.#contextOf(viewer, this.#end.signal);
    const result = await this.#executor.run({ document: this.#documentOf(text), operationName: undefined, variables, context });
    return this.#format(result, context.requestId);
  }

  async *subscribe(viewer: string, text: string, variables?: Readonly<Record<string, unknown>>): AsyncGenerator<Answer, void, undefined> {
    const end = new AbortController();
    const context = await this.#contextOf(viewer, AbortSignal.any([end.signal, this.#end.signal]));
    const document = this.#documentOf(text);
    try {
      const events = await createSourceEventStream({
        schema: this.#schema,
        document,
        contextValue: context,
        ...(variables === undefined ? {} : { variableValues: variables }),
      });
      if (!(Symbol.asyncIterator in events)) {
        yield this.#format(events, context.requestId);
        return;
      }
      for await (const rootValue of events) {
        const result = await this.#executor.run({ document, operationName: undefined, variables, context, rootValue });
        yield this.#format(result, context.requestId);
      }
    } catch (error) {
      yield { errors: [formatError(error, { requestId: context.requestId, onFailure: fail })] };
    } finally {
      end.abort();
    }
  }

  setUsers(users: readonly User[]): void {
    this.#tokens.replace(this.#tokenData(users));
  }

  cluster(name: string): MemoryCluster {
    return this.#clusters.cluster(name);
  }

  close(): void {
    this.#end.abort();
    this.#tokens.close();
  }

  #tokenData(users: readonly User[]): ReturnType<typeof readTokenData> {
    const { projects = [] } = this.#options;
    return readTokenData({ projects, users: users.map((user) => ({ ...user, tokenSha256: [digestOfToken(user.id)] })) });
  }

  async #contextOf(viewer: string, signal: AbortSignal): Promise<ReturnType<ContextFactory['create']>> {
    return this.#contexts.create(await this.#tokens.authenticate(viewer), `r-${(this.#requests += 1)}`, signal);
  }

  /** One document for one text, as the front keeps them: what is compiled for one viewer runs for all. */
  #documentOf(text: string): ReturnType<typeof parse> {
    let document = this.#documents.get(text);
    if (document === undefined) this.#documents.set(text, (document = parse(text)));
    return document;
  }

  #format({ data, errors }: ExecutionResult, requestId: string): Answer {
    // As it goes over the wire.
    return JSON.parse(
      JSON.stringify({
        ...(data === undefined ? {} : { data }),
        ...(errors === undefined ? {} : { errors: errors.map((error) => formatError(error, { requestId, onFailure: fail })) }),
      }),
    ) as Answer;
  }
}

/** A bug of the gateway, which tests want to see whole. */
function fail(failure: unknown): void {
  console.error(failure);
}

/** @throws Error for a kind that the gateway does not watch. */
export function kindNamed(name: string): Kind {
  const kind = watchedKinds.find((one) => one.name === name);
  if (kind === undefined) throw new Error(`The gateway does not watch the kind ${name}.`);
  return kind;
}
