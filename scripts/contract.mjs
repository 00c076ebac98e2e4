// Holds what is built against the contract. `contract/pending.txt` lists what is not built yet, as schema coordinates (`Type`, `Type.field`,
// `Type.field(argument:)`, `Enum.VALUE`, `Input.field`), one a line, sorted; all else of the contract must be there with its name and type.
//
//   node scripts/contract.mjs           fails, naming each place where the contract is broken or the list is wrong
//   node scripts/contract.mjs --write   first takes out of the list what is built; where there is no list yet, writes it
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { diff } from '@graphql-inspector/core';
import { buildASTSchema, Kind, parse } from 'graphql';

const pendingPath = 'contract/pending.txt';

/**
 * Everything that the contract names, with what it is part of: a field of its type, an argument of its field.
 * @returns {Map<string, string | undefined>}
 */
function coordinatesOf(document) {
  const coordinates = new Map();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.SCHEMA_DEFINITION || definition.kind === Kind.DIRECTIVE_DEFINITION) continue;
    const type = definition.name.value;
    coordinates.set(type, undefined);
    for (const member of [...(definition.fields ?? []), ...(definition.values ?? [])]) {
      const field = `${type}.${member.name.value}`;
      coordinates.set(field, type);
      for (const argument of member.arguments ?? []) coordinates.set(`${field}(${argument.name.value}:)`, field);
    }
  }
  return coordinates;
}

/** What is missing, and not because what it is part of is missing. */
function missingOf(contract, built) {
  return [...contract].filter(([name, parent]) => !built.has(name) && (parent === undefined || built.has(parent))).map(([name]) => name);
}

/** Which function governs each field, or that none does; why none does may be said in other words. */
function governanceOf(document) {
  const governance = new Map();
  for (const definition of document.definitions) {
    for (const field of definition.fields ?? []) {
      const applied = (field.directives ?? []).flatMap(({ name, arguments: given = [] }) => {
        if (name.value === 'ungoverned') return ['@ungoverned'];
        return name.value === 'permission' ? [`@permission(function: ${given[0]?.value?.value})`] : [];
      });
      governance.set(`${definition.name.value}.${field.name.value}`, applied.join(' ') || 'neither @permission nor @ungoverned');
    }
  }
  return governance;
}

/** A coordinate and what it is part of: an argument's field, a field's type. */
function lineageOf(coordinate) {
  const field = coordinate.replace(/\(.*$/, '');
  return [...new Set([coordinate, field, field.replace(/\..*$/, '')])];
}

const linesOf = (text) => text.split('\n').filter((line) => line !== '');
const byCodeUnits = (one, other) => (one < other ? -1 : Number(one > other));

/** `Type.field.argument` as the differ writes it, as a coordinate. */
function coordinateOf({ type, path = '' }) {
  const [typeName, field, argument] = path.split('.');
  if (type.startsWith('SCHEMA_'))
    return { SCHEMA_MUTATION_TYPE_CHANGED: 'Mutation', SCHEMA_SUBSCRIPTION_TYPE_CHANGED: 'Subscription' }[type];
  return argument === undefined ? path : `${typeName}.${field}(${argument}:)`;
}

/** Whether a change takes something away, or gives it another type: what is added breaks nobody, unless it must be given. */
function isBreach({ type, criticality }) {
  if (type.includes('DESCRIPTION') || type.includes('DEPRECATION') || type.startsWith('DIRECTIVE_USAGE_')) return false;
  return !type.endsWith('_ADDED') || criticality.level === 'BREAKING';
}

/**
 * Every place where the built schema breaks the contract or the list of what is pending is wrong, a sentence each; empty where all is well.
 * @param {{ contract: string, built: string, pending: string }} texts two schemas as SDL, and the list
 */
export async function checkContract({ contract, built, pending }) {
  const wanted = parse(contract);
  const found = parse(built);
  const known = coordinatesOf(wanted);
  const there = coordinatesOf(found);
  const entries = linesOf(pending);
  const listed = new Set(entries);
  const problems = [];

  if (entries.some((entry, index) => index > 0 && byCodeUnits(entries[index - 1], entry) >= 0)) {
    problems.push(`${pendingPath}: its lines must be sorted, each once.`);
  }
  for (const entry of listed) {
    const covering = lineageOf(entry).find((name) => name !== entry && listed.has(name));
    if (!known.has(entry)) problems.push(`${entry}: is pending, and not in the contract.`);
    else if (there.has(entry)) problems.push(`${entry}: is pending, and built; the list only shrinks, take it out.`);
    else if (covering !== undefined) problems.push(`${entry}: is pending, as part of ${covering} already.`);
  }

  const missing = new Set(missingOf(known, there));
  for (const name of missing) {
    if (!listed.has(name)) problems.push(`${name}: is missing, and not pending.`);
  }
  const asSchema = (document) => buildASTSchema(document, { assumeValid: true, assumeValidSDL: true });
  for (const change of await diff(asSchema(wanted), asSchema(found))) {
    const coordinate = coordinateOf(change);
    if (isBreach(change) && !missing.has(coordinate)) problems.push(`${coordinate}: ${change.message}`);
  }

  const governed = governanceOf(found);
  for (const [field, governance] of governanceOf(wanted)) {
    const actual = governed.get(field);
    if (actual !== undefined && actual !== governance) problems.push(`${field}: has ${actual}; the contract has ${governance}.`);
  }
  return problems;
}

/** The list without what is built: a type that is built in part makes room for what of it is not. Where there is no list yet, all that is missing. */
export function pendingOf({ contract, built, pending }) {
  const known = coordinatesOf(parse(contract));
  const there = coordinatesOf(parse(built));
  const missing = missingOf(known, there);
  const listed = pending === undefined ? undefined : new Set(linesOf(pending));
  const kept = missing.filter((name) => listed === undefined || lineageOf(name).some((entry) => listed.has(entry)));
  return kept
    .sort(byCodeUnits)
    .map((name) => `${name}\n`)
    .join('');
}

/** Entries that an earlier version of the list did not cover. Undefined where no history tells. */
function grownIn(root, pending) {
  const git = (...args) => execFileSync('git', ['-C', root, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  let versions;
  try {
    if (git('rev-parse', '--is-shallow-repository').trim() === 'true') return undefined;
    versions = linesOf(git('log', '--format=%H', '--diff-filter=AM', '--', pendingPath)).map((commit) =>
      git('show', `${commit}:${pendingPath}`),
    );
  } catch {
    return undefined;
  }
  const earlier = versions.map((version) => new Set(linesOf(version)));
  return linesOf(pending).filter((entry) => earlier.some((listed) => !lineageOf(entry).some((name) => listed.has(name))));
}

async function main() {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const read = (path) => readFileSync(resolve(root, path), 'utf8');
  const contract = read('contract/schema.graphql');
  const built = read('schema.graphql');
  const file = resolve(root, pendingPath);
  if (process.argv.includes('--write')) {
    const before = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    const after = pendingOf({ contract, built, pending: before });
    if (after !== before) writeFileSync(file, after);
  }
  const pending = read(pendingPath);
  const problems = await checkContract({ contract, built, pending });
  const grown = grownIn(root, pending);
  if (grown === undefined) process.stdout.write(`${pendingPath} was not held against its history: there is none here.\n`);
  for (const entry of grown ?? []) problems.push(`${entry}: is pending again; the list only shrinks.`);
  if (problems.length > 0) {
    process.stderr.write(`schema.graphql does not hold to the contract:\n${problems.map((problem) => `  - ${problem}\n`).join('')}`);
    process.exitCode = 1;
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) await main();
