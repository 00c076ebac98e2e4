import { once } from 'node:events';
import { WebSocket, type ClientOptions } from 'ws';

/** What an answer looks like on every transport. */
export interface Answer {
  readonly data?: any;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly locations?: readonly object[];
    readonly extensions: { readonly code: string; readonly requestId: string; readonly [key: string]: unknown };
  }[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

export interface Reply extends Answer {
  readonly status: number;
  readonly headers: Headers;
  /** As it was sent. */
  readonly text: string;
}

export interface QueryOptions {
  readonly method?: 'POST' | 'GET';
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly operationName?: string;
  readonly extensions?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Codes of an answer's errors, in their order. */
export const codesOf = ({ errors = [] }: Answer): string[] => errors.map(({ extensions }) => extensions.code);

/** Asks an API as one user. */
export class ApiClient {
  /** @param url Without a path. @param token Left out: no sign-in at all. */
  constructor(
    readonly url: string,
    readonly token?: string,
  ) {}

  as(token: string | undefined): ApiClient {
    return new ApiClient(this.url, token);
  }

  query(query: string, { method = 'POST', headers = {}, ...rest }: QueryOptions = {}): Promise<Reply> {
    if (method === 'POST') return this.post({ query, ...rest }, headers);
    const search = new URLSearchParams({ query });
    for (const [name, value] of Object.entries(rest)) search.set(name, typeof value === 'string' ? value : JSON.stringify(value));
    return this.request(`/graphql?${search.toString()}`, { headers });
  }

  /** @param body Text is sent as it is, anything else as JSON. */
  post(body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
    return this.request('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
    });
  }

  async request(
    path: string,
    { headers, ...init }: RequestInit & { readonly headers?: Readonly<Record<string, string>> } = {},
  ): Promise<Reply> {
    const credential: Record<string, string> = this.token === undefined ? {} : { authorization: `Bearer ${this.token}` };
    const response = await fetch(this.url + path, { ...init, headers: { ...credential, ...headers } });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return { ...(isJson ? (JSON.parse(text) as Answer) : {}), status: response.status, headers: response.headers, text };
  }

  /** A socket that is signed in. */
  async socket(options: SocketOptions = {}): Promise<ApiSocket> {
    const socket = await ApiSocket.open(this.url, options);
    socket.send({ type: 'connection_init', payload: this.token === undefined ? {} : { authorization: `Bearer ${this.token}` } });
    const { type } = await socket.next();
    if (type !== 'connection_ack') throw new Error(`The socket was answered with ${type}.`);
    return socket;
  }
}

export interface Message {
  readonly type: string;
  readonly id?: string;
  readonly payload?: unknown;
}

export interface SocketOptions extends ClientOptions {
  /** Default `graphql-transport-ws`. */
  readonly protocols?: string | readonly string[];
}

/** A queue that waits for what is not there yet. */
class Inbox<T> {
  readonly #items: T[] = [];
  readonly #waiting: { resolve(item: T): void; reject(error: Error): void }[] = [];
  #over: Error | undefined;

  get length(): number {
    return this.#items.length;
  }

  push(item: T): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#items.push(item);
    else next.resolve(item);
  }

  end(error: Error): void {
    this.#over = error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  take(): Promise<T> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve(item);
    if (this.#over !== undefined) return Promise.reject(this.#over);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }
}

/** A WebSocket as a client without manners has it: what it sends is what the test says, and no message is missed. */
export class ApiSocket {
  readonly socket: WebSocket;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #messages = new Inbox<Message>();
  readonly #ofOperations = new Map<string, Inbox<Message>>();
  #ids = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => {
      const message = JSON.parse((data as Buffer).toString('utf8')) as Message;
      (this.#ofOperations.get(message.id ?? '') ?? this.#messages).push(message);
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => {
        const error = new Error(`The socket was closed with ${code} ${reason.toString('utf8')}.`);
        this.#messages.end(error);
        for (const inbox of this.#ofOperations.values()) inbox.end(error);
        resolve({ code, reason: reason.toString('utf8') });
      });
    });
  }

  static async open(url: string, { protocols = 'graphql-transport-ws', ...options }: SocketOptions = {}): Promise<ApiSocket> {
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/graphql`, [protocols].flat(), options);
    const opened = new ApiSocket(socket);
    await once(socket, 'open');
    socket.on('error', () => undefined);
    return opened;
  }

  /** @param message Text is sent as it is, anything else as JSON. */
  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** The next message that belongs to no operation begun by `subscribe`. */
  next(): Promise<Message> {
    return this.#messages.take();
  }

  subscribe(query: string, { variables, operationName, extensions }: QueryOptions = {}): ApiStream {
    const id = `op-${(this.#ids += 1)}`;
    const inbox = new Inbox<Message>();
    this.#ofOperations.set(id, inbox);
    this.send({ id, type: 'subscribe', payload: { query, variables, operationName, extensions } });
    return new ApiStream(this, id, inbox);
  }

  /** One answer, whether it came as a result or as errors. */
  query(query: string, options: QueryOptions = {}): Promise<Answer> {
    return this.subscribe(query, options).answer();
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.closed;
  }
}

/** One operation of a socket. */
export class ApiStream {
  readonly #socket: ApiSocket;
  readonly #inbox: Inbox<Message>;

  constructor(
    socket: ApiSocket,
    readonly id: string,
    inbox: Inbox<Message>,
  ) {
    this.#socket = socket;
    this.#inbox = inbox;
  }

  /** Messages that came and were not taken. */
  get waiting(): number {
    return this.#inbox.length;
  }

  message(): Promise<Message> {
    return this.#inbox.take();
  }

  /** @throws Error where the operation is complete instead. */
  async answer(): Promise<Answer> {
    const { type, payload } = await this.message();
    if (type === 'complete') throw new Error('The operation is complete.');
    return type === 'error' ? { errors: payload as NonNullable<Answer['errors']> } : (payload as Answer);
  }

  stop(): void {
    this.#socket.send({ id: this.id, type: 'complete' });
  }
}
