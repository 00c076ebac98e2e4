import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../../../.ci/summary.mjs', import.meta.url));

interface Suite {
  readonly tests: Readonly<Record<string, 'passed' | 'failed' | 'pending' | 'todo'>>;
  /** Why it did not run. */
  readonly message?: string;
}

/** A run as Jest writes it with `--json`. */
function runOf(...suites: readonly Suite[]): object {
  const statuses = suites.flatMap(({ tests }) => Object.values(tests));
  return {
    numTotalTests: statuses.length,
    numPassedTests: statuses.filter((status) => status === 'passed').length,
    numFailedTests: statuses.filter((status) => status === 'failed').length,
    testResults: suites.map(({ tests, message = '' }, index) => ({
      name: join(process.cwd(), `tests/suite-${index}.test.ts`),
      status: message !== '' || Object.values(tests).includes('failed') ? 'failed' : 'passed',
      message,
      assertionResults: Object.entries(tests).map(([fullName, status]) => ({ fullName, status })),
    })),
  };
}

function summarize(runs: Readonly<Record<string, object>>): { readonly code: number | null; readonly lines: readonly string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'summary-'));
  try {
    for (const [name, run] of Object.entries(runs)) writeFileSync(join(folder, `${name}.json`), JSON.stringify(run));
    const { status, stdout } = spawnSync(process.execPath, [script, folder], { encoding: 'utf8' });
    return { code: status, lines: stdout.split('\n').filter((line) => line !== '') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const good = runOf({ tests: { one: 'passed', two: 'passed' } });

describe('the last line of CI', () => {
  it('adds up all runs', () => {
    expect(summarize({ 'node-20': good, 'node-22': good })).toEqual({ code: 0, lines: ['4 passed, 0 failed'] });
  });

  it('follows the names of what failed', () => {
    const bad = runOf({ tests: { one: 'passed', two: 'failed' } });
    expect(summarize({ 'node-20': good, cluster: bad })).toEqual({
      code: 1,
      lines: ['  - cluster: tests/suite-0.test.ts › two', '3 passed, 1 failed'],
    });
  });

  it('counts a suite that did not run as a failure', () => {
    const broken = runOf({ tests: { one: 'passed' } }, { tests: {}, message: 'Cannot find a module\nwith a stack' });
    expect(summarize({ 'node-20': broken })).toEqual({
      code: 1,
      lines: ['  - node-20: tests/suite-1.test.ts did not run: Cannot find a module', '1 passed, 1 failed'],
    });
  });

  it.each(['pending', 'todo'] as const)('lets no test be %s', (status) => {
    expect(summarize({ cluster: runOf({ tests: { one: 'passed', two: status } }) })).toEqual({
      code: 1,
      lines: ['  - cluster: tests/suite-0.test.ts › two was skipped', '1 passed, 0 failed'],
    });
  });

  it('is a failure where nothing ran', () => {
    expect(summarize({})).toEqual({ code: 1, lines: ['  - no test ran', '0 passed, 0 failed'] });
    expect(summarize({ 'node-20': runOf() })).toEqual({ code: 1, lines: ['  - node-20: ran no test', '0 passed, 0 failed'] });
  });
});
