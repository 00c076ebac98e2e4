import { base } from './jest.config.mjs';
import { findPrograms } from './tests/cluster/controlplane/programs.mjs';

const { problem, simulated } = process.env.CONTROL_PLANE ? {} : findPrograms();
const lack =
  problem === undefined
    ? simulated === false &&
      'the suites that need simulated nodes are skipped: KUBEBUILDER_ASSETS holds an API server only; unset it, and they are built with Go'
    : `all suites against a real control plane are skipped: ${problem}`;
if (lack) {
  if (process.env.CI) throw new Error(`${lack}. In CI that is a failure.`);
  process.stderr.write(`${lack}\n`);
}

/** The suites against a real control plane; one worker, because they share it. */
export default {
  ...base,
  testMatch: ['<rootDir>/tests/cluster/**/*.test.ts'],
  ...(problem !== undefined && { testPathIgnorePatterns: ['.'], passWithNoTests: true }),
  globalSetup: '<rootDir>/tests/cluster/global-setup.mjs',
  globalTeardown: '<rootDir>/tests/cluster/global-teardown.mjs',
  maxWorkers: 1,
  testTimeout: 120_000,
};
