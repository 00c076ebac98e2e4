import { base } from './jest.config.mjs';

/** The suites against a real control plane; one worker, because they share it. */
export default {
  ...base,
  testMatch: ['<rootDir>/tests/cluster/**/*.test.ts'],
  globalSetup: '<rootDir>/tests/cluster/global-setup.mjs',
  globalTeardown: '<rootDir>/tests/cluster/global-teardown.mjs',
  maxWorkers: 1,
  testTimeout: 120_000,
};
