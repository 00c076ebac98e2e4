import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isLoopbackHost } from './sign-in.js';

/** A sign-in that GraphiQL offers; the demo's, and no others. */
export interface OfferedSignIn {
  readonly label: string;
  readonly token: string;
}

export interface Page {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Pages {
  /** Undefined: there is no such page. */
  find(path: string, host: string | undefined): Promise<Page | undefined>;
}

export interface GraphiqlOptions {
  /** Folder with `graphiql.js`, `graphiql.css` and the workers, as the build made them. */
  readonly assets: string;
  /** Given only to requests by a loopback name, and only where the server listens on one. */
  readonly signIns: readonly OfferedSignIn[];
  readonly initialQuery: string;
}

const types: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  ttf: 'font/ttf',
  map: 'application/json',
};

const policy = [
  "default-src 'self'",
  // Monaco styles what it draws.
  "style-src 'self' 'unsafe-inline'",
  "font-src 'self' data:",
  "img-src 'self' data:",
  "connect-src 'self' ws: wss:",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

/** GraphiQL from files of the package: nothing comes from anywhere else. */
export class Graphiql implements Pages {
  readonly #options: GraphiqlOptions;
  readonly #files = new Map<string, Page>();

  constructor(options: GraphiqlOptions) {
    this.#options = options;
  }

  async find(path: string, host: string | undefined): Promise<Page | undefined> {
    if (path === '/') return this.#page(host);
    const name = /^\/graphiql\/([\w-]+\.(js|css|ttf|map))$/.exec(path)?.[1];
    if (name === undefined) return undefined;
    let file = this.#files.get(name);
    if (file === undefined) {
      try {
        const body = await readFile(join(this.#options.assets, name));
        const type = types[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
        file = { body, headers: { 'content-type': type, 'content-length': String(body.length), 'cache-control': 'public, max-age=3600' } };
      } catch {
        return undefined;
      }
      this.#files.set(name, file);
    }
    return file;
  }

  #page(host: string | undefined): Page {
    const config = { signIns: isLoopbackHost(host) ? this.#options.signIns : [], initialQuery: this.#options.initialQuery };
    // JSON in a script element: only `<` could end it early.
    const json = JSON.stringify(config).replaceAll('<', '\\u003c');
    const body = Buffer.from(`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>安全容器服务 · GraphiQL</title>
    <link rel="stylesheet" href="/graphiql/graphiql.css" />
  </head>
  <body>
    <div id="app">GraphiQL needs JavaScript.</div>
    <script type="application/json" id="config">${json}</script>
    <script src="/graphiql/graphiql.js" defer></script>
  </body>
</html>
`);
    return {
      body,
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'content-length': String(body.length),
        'content-security-policy': policy,
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
      },
    };
  }
}
