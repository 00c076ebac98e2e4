import { createHash } from 'node:crypto';
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

/** A host and port as a browser names them: what may stand in a policy. */
const hostSource = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/** Nothing from elsewhere, and nothing to elsewhere. Older browsers do not count a socket of the page's own host as `'self'`. */
function policyFor(host: string | undefined): string {
  const sockets = host !== undefined && hostSource.test(host) ? ` ws://${host} wss://${host}` : '';
  return [
    "default-src 'self'",
    // Monaco styles what it draws.
    "style-src 'self' 'unsafe-inline'",
    "font-src 'self' data:",
    "img-src 'self' data:",
    `connect-src 'self'${sockets}`,
    "object-src 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');
}

/** GraphiQL from files of the package: nothing comes from anywhere else. Where the files are not built, its page says how to build them. */
export class Graphiql implements Pages {
  readonly #options: GraphiqlOptions;
  readonly #files = new Map<string, Page>();
  #version: string | undefined;

  constructor(options: GraphiqlOptions) {
    this.#options = options;
  }

  async find(path: string, host: string | undefined): Promise<Page | undefined> {
    if (path === '/') return this.#page(host);
    const name = /^\/graphiql\/([\w-]+\.(?:js|css|ttf|map))$/.exec(path)?.[1];
    return name === undefined ? undefined : this.#file(name);
  }

  async #file(name: string): Promise<Page | undefined> {
    const known = this.#files.get(name);
    if (known !== undefined) return known;
    let body: Buffer;
    try {
      body = await readFile(join(this.#options.assets, name));
    } catch {
      return undefined;
    }
    const type = types[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
    const file = {
      body,
      headers: { 'content-type': type, 'content-length': String(body.length), 'cache-control': 'public, max-age=3600' },
    };
    this.#files.set(name, file);
    return file;
  }

  async #page(host: string | undefined): Promise<Page> {
    const script = await this.#file('graphiql.js');
    return html(script === undefined ? unbuilt : this.#editor(script, host), host);
  }

  #editor(script: Page, host: string | undefined): string {
    const { signIns, initialQuery } = this.#options;
    // Browsers keep the files for an hour: those of another build have another address.
    this.#version ??= createHash('sha256').update(script.body).digest('hex').slice(0, 12);
    const config = { signIns: isLoopbackHost(host) ? signIns : [], initialQuery, version: this.#version };
    // JSON in a script element: only `<` could end it early.
    const json = JSON.stringify(config).replaceAll('<', '\\u003c');
    return `    <link rel="stylesheet" href="/graphiql/graphiql.css?${this.#version}" />
  </head>
  <body>
    <div id="app">GraphiQL needs JavaScript.</div>
    <script type="application/json" id="config">${json}</script>
    <script src="/graphiql/graphiql.js?${this.#version}" defer></script>
  </body>`;
  }
}

const unbuilt = `  </head>
  <body>
    <p>GraphiQL is not built yet. Run <code>npm run graphiql</code> in the gateway's folder (it needs the development dependencies of <code>npm ci</code>),
    then load this page again. The API itself is on <code>/graphql</code>.</p>
  </body>`;

function html(rest: string, host: string | undefined): Page {
  const body = Buffer.from(`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>安全容器服务 · GraphiQL</title>
    <link rel="icon" href="data:," />
${rest}
</html>
`);
  return {
    body,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-length': String(body.length),
      'content-security-policy': policyFor(host),
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    },
  };
}
