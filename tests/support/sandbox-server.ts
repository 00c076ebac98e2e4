import { MemoryStorage } from '../../src/sandbox/memory-storage.js';
import { startApiServer, type ApiServer, type ApiServerOptions } from '../../src/sandbox/api-server.js';

/** Answer of a request: the code, the headers, and the body as JSON or, where it is none, as text. */
export interface Answered {
  readonly code: number;
  readonly headers: Headers;
  readonly body: any;
}

export interface AskOptions {
  readonly body?: unknown;
  readonly type?: string;
  readonly headers?: Record<string, string>;
}

/** An embedded API server with an empty cluster behind it, without controllers. */
export class SandboxServer {
  private constructor(
    readonly storage: MemoryStorage,
    readonly server: ApiServer,
    /** Bugs that requests ran into. */
    readonly errors: readonly unknown[],
  ) {}

  static async start(options: Partial<ApiServerOptions> = {}): Promise<SandboxServer> {
    const errors: unknown[] = [];
    const storage = options.storage ?? new MemoryStorage({ now: Date.now });
    const server = await startApiServer({ now: Date.now, onError: (error) => errors.push(error), ...options, storage });
    return new SandboxServer(storage, server, errors);
  }

  get url(): string {
    return this.server.url;
  }

  async ask(method: string, path: string, { body, type = 'application/json', headers = {} }: AskOptions = {}): Promise<Answered> {
    const response = await fetch(this.url + path, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': type }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = (response.headers.get('content-type') ?? '').startsWith('application/json');
    return { code: response.status, headers: response.headers, body: isJson ? (JSON.parse(text) as unknown) : text };
  }

  async close(): Promise<void> {
    await this.server.close();
  }
}
