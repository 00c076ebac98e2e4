import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify as stringifyYaml } from 'yaml';
import { digestOfToken } from './auth/token-file.js';
import type { ClusterConfig, Config } from './config.js';
import { people, projects, startCompany, type Person } from './sandbox/company/company.js';
import type { OfferedSignIn } from './server/graphiql.js';

/** Where the demo speaks to whoever started it, such as `process.stderr`. */
export interface DemoOutput {
  /** Whether it is a terminal, where a line can be drawn over. */
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export interface DemoOptions {
  /** The real clock, in milliseconds since the epoch. */
  readonly now: () => number;
  /** Gets the kubeconfigs and the token file; made where it is not there. Nothing in it is of use once the demo is closed. */
  readonly directory: string;
  /** Gets the progress of the start, and what `announce` says. */
  readonly output: DemoOutput;
  /** Simulated seconds per real second. Default 1. */
  readonly speed?: number;
  /** What happens by chance depends on it, and on the time, alone. Default 1. */
  readonly seed?: number | string;
  /** Told of bugs of an embedded cluster, which goes on. Default: a warning of the process. */
  readonly onError?: (error: unknown) => void;
}

/** Two clusters of a company that lives, and who may see what of them. */
export interface Demo {
  readonly overrides: Pick<Config, 'clusters' | 'tokenFile' | 'graphiql'>;
  /** One for each role, each with a token of this start alone. */
  readonly signIns: readonly OfferedSignIn[];
  /** Says where the gateway listens, and with which tokens. @param url Such as `http://127.0.0.1:4000`. */
  announce(url: string): void;
  close(): Promise<void>;
}

/**
 * Starts the demo's clusters and writes the files that lead to them. The gateway is then configured with `overrides` like anywhere: it reads kubeconfigs
 * and a token file, and knows of no demo.
 */
export async function startDemo({ now, directory, output, speed = 1, seed = 1, onError = warn }: DemoOptions): Promise<Demo> {
  const company = await startCompany({ now, seed, speed, onProgress: showProgress(output), onError });
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const write = async (name: string, text: string): Promise<string> => {
      const path = join(directory, name);
      await writeFile(path, text, { mode: 0o600 });
      return path;
    };
    const clusters: ClusterConfig[] = [];
    for (const { name, displayName, sandbox } of company.clusters) {
      const kubeconfig = await write(`${name}.kubeconfig`, sandbox.kubeconfig);
      clusters.push({ name, displayName, kubeconfig, context: undefined, projects: undefined });
    }
    const users = people.map((person) => ({ ...person, token: newToken(person.id) }));
    const tokenFile = await write('tokens.yaml', tokenFileOf(users));
    const signIns = users.map(({ title, name, token }) => ({ label: `${name} · ${title}`, token }));
    return {
      overrides: { clusters, tokenFile, graphiql: true },
      signIns,
      announce: (url) => output.write(greetingOf(signIns, clusters, url)),
      close: () => company.close(),
    };
  } catch (error) {
    await company.close();
    throw error;
  }
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}

/** Another at every start: one that were known could be used by any page that reaches the port under a name of its own. */
function newToken(owner: string): string {
  return `demo-${owner}-${randomBytes(15).toString('base64url')}`;
}

function tokenFileOf(users: readonly (Person & { readonly token: string })[]): string {
  return stringifyYaml({
    projects,
    users: users.map(({ id, name, cloudAdmin = false, roles = {}, departments = {}, token }) => ({
      id,
      name,
      tokenSha256: [digestOfToken(token)],
      cloudAdmin,
      roles,
      departments,
    })),
  });
}

function greetingOf(signIns: readonly OfferedSignIn[], clusters: readonly ClusterConfig[], url: string): string {
  const table = (rows: readonly (readonly [string, string])[]): string => {
    const width = Math.max(...rows.map(([left]) => widthOf(left)));
    return rows.map(([left, right]) => `  ${left}${' '.repeat(width - widthOf(left))}  ${right}\n`).join('');
  };
  return `
The demo is open: GraphiQL on ${url}/ and the API on ${url}/graphql

Sign in with \`Authorization: Bearer \` and one of these; each is good until the demo ends:
${table(signIns.map(({ label, token }) => [label, token]))}
Clusters, for kubectl:
${table(clusters.map(({ displayName, kubeconfig = '' }) => [displayName, `KUBECONFIG=${kubeconfig}`]))}
`;
}

/** Columns on a terminal: Chinese characters and their punctuation take two. */
function widthOf(text: string): number {
  return [...text].reduce((sum, letter) => sum + (/[\u2e80-\u9fff\uff00-\uff60]/.test(letter) ? 2 : 1), 0);
}

const barLength = 24;

/** A bar that grows on a terminal, and a line for every quarter elsewhere. */
function showProgress(output: DemoOutput): (cluster: string, done: number, of: number) => void {
  let told = -1;
  return (cluster, done, of) => {
    const share = done / of;
    const percent = `${Math.round(share * 100)} %`;
    if (output.isTTY === true) {
      const filled = Math.round(share * barLength);
      const bar = '█'.repeat(filled) + '░'.repeat(barLength - filled);
      // Each draws over the one before; the last clears the line.
      output.write(done < of ? `\r\u001b[K${bar} ${percent} · the past of ${cluster}` : '\r\u001b[K');
      return;
    }
    const quarter = Math.floor(share * 4);
    if (quarter === told) return;
    told = quarter;
    output.write(`Starting the demo, ${percent}: the past of ${cluster}\n`);
  };
}
