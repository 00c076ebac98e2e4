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
  // The workers have to be of the very packages that GraphiQL itself is built on.
  const resolver = ['graphiql', '@graphiql/react'].reduce(
    (from, name) => createRequire(from.resolve(name)),
    createRequire(import.meta.url),
  );
  const common = {
    bundle: true,
    minify: true,
    logLevel: 'error',
    outdir,
    legalComments: 'none',
    define: { 'process.env.NODE_ENV': '"production"' },
  };
  await build({
    ...common,
    format: 'iife',
    entryPoints: {
      'worker-editor': resolver.resolve('monaco-editor/esm/vs/editor/editor.worker.js'),
      'worker-json': resolver.resolve('monaco-editor/esm/vs/language/json/json.worker.js'),
      'worker-graphql': resolver.resolve('monaco-graphql/esm/graphql.worker.js'),
    },
  });
  // Last, because its file tells that all of them are there.
  await build({
    ...common,
    entryPoints: { graphiql: join(here, 'graphiql', 'main.jsx') },
    format: 'iife',
    jsx: 'automatic',
    loader: { '.ttf': 'file' },
    assetNames: '[name]',
  });
}
