// Adds up Jest's results in a folder and prints `N passed, N failed` as the last line. A suite that was skipped, or that ran nothing, is a failure.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';

const folder = process.argv[2];
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
const problems = [];
let passed = 0;
let failed = 0;

for (const file of files) {
  const run = basename(file, '.json');
  const { numPassedTests, numFailedTests, numTotalTests, testResults } = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  passed += numPassedTests;
  failed += numFailedTests;
  if (numTotalTests === 0) problems.push(`${run}: ran no test`);
  for (const { name, status, assertionResults, message } of testResults) {
    const suite = relative(process.cwd(), name);
    const unrun = assertionResults.filter((test) => test.status !== 'passed' && test.status !== 'failed');
    for (const test of unrun) problems.push(`${run}: ${suite} › ${test.fullName} was skipped`);
    if (assertionResults.length === 0 || (status === 'failed' && assertionResults.every((test) => test.status === 'passed'))) {
      failed += 1;
      problems.push(`${run}: ${suite} did not run: ${message.split('\n')[0]}`);
    }
    for (const test of assertionResults) if (test.status === 'failed') problems.push(`${run}: ${suite} › ${test.fullName}`);
  }
}

if (files.length === 0) problems.push('no test ran');
if (problems.length > 0) process.stdout.write(`\n${problems.map((problem) => `  - ${problem}\n`).join('')}`);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 || problems.length > 0 ? 1 : 0;
