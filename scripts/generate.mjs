// Writes what is generated from the built code, or with `--check` fails where it is stale, naming each file.
import 'reflect-metadata';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildGatewaySchema } from '../dist/resolvers/schema.js';
import { printSchema } from '../dist/schema/print.js';
import { configurationDocs } from './configuration.mjs';
import { permissionDocs } from './permission-docs.mjs';

const files = {
  'schema.graphql': printSchema(buildGatewaySchema()),
  'docs/configuration.md': configurationDocs(),
  'docs/permission.md': permissionDocs(),
};
const pathOf = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const stale = Object.entries(files).filter(([name, text]) => !existsSync(pathOf(name)) || readFileSync(pathOf(name), 'utf8') !== text);

if (!process.argv.includes('--check')) {
  for (const [name, text] of stale) writeFileSync(pathOf(name), text);
} else if (stale.length > 0) {
  process.stderr.write(`Stale: ${stale.map(([name]) => name).join(', ')}. Run \`npm run generate\`, and look at what changed.\n`);
  process.exitCode = 1;
}
