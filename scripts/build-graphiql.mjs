// Bundles GraphiQL into dist/graphiql, once: the gateway serves it from there, and a browser needs nothing from anywhere else.
import { existsSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const outdir = join(here, '..', 'dist', 'graphiql');
const sources = ['graphiql/main.jsx', 'graphiql/page.css', 'build-graphiql.mjs'].map((name) => join(here, name));
const done = join(outdir, 'graphiql.js');
const lock = join(here, '..', 'package-lock.json');
const isFresh =
  existsSync(done) && [...sources, lock].every((source) => !existsSync(source) || statSync(source).mtimeMs <= statSync(done).mtimeMs);

if (!isFresh) {
  const require = createRequire(import.meta.url);
  const common = {
    bundle: true,
    minify: true,
    logLevel: 'error',
    outdir,
    legalComments: 'none',
    define: { 'process.env.NODE_ENV': '"production"' },
  };
  await Promise.all([
    build({
      ...common,
      entryPoints: { graphiql: join(here, 'graphiql', 'main.jsx') },
      format: 'iife',
      jsx: 'automatic',
      loader: { '.ttf': 'file' },
      assetNames: '[name]',
    }),
    build({
      ...common,
      format: 'iife',
      entryPoints: {
        'worker-editor': require.resolve('monaco-editor/esm/vs/editor/editor.worker.js'),
        'worker-json': require.resolve('monaco-editor/esm/vs/language/json/json.worker.js'),
        'worker-graphql': require.resolve('monaco-graphql/esm/graphql.worker.js'),
      },
    }),
  ]);
}
