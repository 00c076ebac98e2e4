import { existsSync } from 'node:fs';
import { base } from './jest.config.mjs';

const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium';
const isThere = existsSync(chromium);
if (!isThere) {
  const lack = `the suites in a browser are skipped: there is no Chromium at ${chromium}, and CHROMIUM names no other`;
  if (process.env.CI) throw new Error(`${lack}. In CI that is a failure.`);
  process.stderr.write(`${lack}\n`);
}

/** The suites that look at the demo as a person does. They run what `npm run demo` builds. */
export default {
  ...base,
  testMatch: isThere ? ['<rootDir>/tests/browser/**/*.test.ts'] : [],
  passWithNoTests: !isThere,
  globals: { chromium },
  maxWorkers: 1,
  testTimeout: 60_000,
};
