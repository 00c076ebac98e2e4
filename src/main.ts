import 'reflect-metadata';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TokenDataError } from './auth/token-data.js';
import { openTokenFile } from './auth/token-file.js';
import { ConfigError, describeSettings, loadConfig, type Config } from './config.js';
import type { Demo } from './demo.js';
import { watchedKinds } from './domain/kinds/index.js';
import { Clusters } from './k8s/clusters.js';
import { startGateway } from './server/gateway.js';
import { createLog, type Logger } from './server/log.js';

/** What was set is wrong: said in words, without a stack. */
class StartError extends Error {}

const graphiqlAssets = fileURLToPath(new URL('./graphiql', import.meta.url));

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const unknown = args.filter((arg) => arg !== '--demo' && arg !== '--help');
  if (unknown.length > 0) throw new StartError(`There is no option ${unknown.join(' ')}.\n\n${help()}`);
  if (args.includes('--help')) {
    process.stdout.write(help());
    return;
  }
  const closers: (() => Promise<void>)[] = [];
  try {
    const demo = args.includes('--demo') ? await openDemo(closers) : undefined;
    const config = loadConfig({
      // The demo's clusters and users are its own, whatever else is configured here.
      env: demo === undefined ? process.env : { ...process.env, CONFIG_FILE: undefined, KUBECONFIG: undefined, TOKEN_FILE: undefined },
      cwd: process.cwd(),
      homeDirectory: homedir(),
      exists: existsSync,
      ...(demo === undefined ? {} : { overrides: demo.overrides }),
    });
    const log = createLog(config.logLevel);
    // graphql-js forgets the promises of a list once one of its items fails at once. One of them that fails afterwards must not end the process.
    process.on('unhandledRejection', (error) => log.error({ err: error }, 'a promise failed that nobody waited for'));
    const authenticator = await openTokens(config, log);
    const gateway = await startGateway({
      config,
      clusters: new Clusters(config.clusters, watchedKinds, { ...config, log, environment: process.env, now: Date.now }),
      authenticator,
      log,
      graphiqlAssets,
      now: Date.now,
      writeAudit: (line) => process.stdout.write(line),
      ...(demo === undefined ? {} : { signIns: demo.signIns }),
    });
    closers.push(() => gateway.stop());
    demo?.announce(gateway.url);
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
  endOnSignal(closers);
}

async function openDemo(closers: (() => Promise<void>)[]): Promise<Demo> {
  const directory = await mkdtemp(join(tmpdir(), 'secure-container-gateway-demo-'));
  closers.push(() => rm(directory, { recursive: true, force: true }));
  const { startDemo } = await import('./demo.js');
  const demo = await startDemo({ directory, now: Date.now, output: process.stderr });
  closers.push(() => demo.close());
  return demo;
}

/** @throws StartError where there is no good file of tokens: the gateway would let nobody in. */
async function openTokens({ tokenFile }: Config, log: Logger) {
  if (tokenFile === undefined) throw new StartError('auth.tokenFile or TOKEN_FILE: must name a token file, else nobody can sign in.');
  try {
    return await openTokenFile(tokenFile, {
      now: Date.now,
      onReload: () => log.info('the token file was read again'),
      onProblem: (problem) => log.error({ err: problem }, 'the token file cannot be put in force; what it said before stays'),
    });
  } catch (error) {
    if (error instanceof TokenDataError) throw new StartError(`The token file is not good.\n${error.message}`);
    throw new StartError(
      `The token file cannot be read: ${error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason'}.`,
    );
  }
}

/** A signal that comes twice within a moment is one: npm hands on what its terminal has sent to everybody already. */
const sameSignalMs = 1_000;

/** The first signal lets what is under way finish, a later one does not wait. */
function endOnSignal(closers: readonly (() => Promise<void>)[]): void {
  let firstMs: number | undefined;
  const end = (): void => {
    const nowMs = performance.now();
    if (firstMs !== undefined) {
      if (nowMs - firstMs > sameSignalMs) process.exit(1);
      return;
    }
    firstMs = nowMs;
    closeAll(closers).then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}

/** In the opposite order of opening. */
async function closeAll(closers: readonly (() => Promise<void>)[]): Promise<void> {
  for (const close of [...closers].reverse()) await close();
}

function help(): string {
  const lines = describeSettings().map(
    ({ env, file, form, default: standard, doc }) => `  ${env} (${file})\n      ${doc}\n      ${form}; default ${standard}\n`,
  );
  return `Usage: node dist/main.js [--demo] [--help]\n\nOptions stand in the YAML file that CONFIG_FILE names, or in the environment, which wins.\n\n${lines.join('')}`;
}

main().catch((error: unknown) => {
  const isExpected = error instanceof StartError || error instanceof ConfigError;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${isExpected ? error.message : stack}\n`);
  process.exitCode = isExpected ? 2 : 1;
});
