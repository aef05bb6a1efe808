// Prints "N passed, N failed" of jest's JSON results; fails unless every test was run and passed.
// JavaScript without dependencies: it runs even where the installation failed.
import { existsSync, readFileSync } from 'node:fs';

let passed = 0;
let failed = 0;
let complete = true;

for (const file of process.argv.slice(2)) {
  if (!existsSync(file)) {
    console.log(`No result of jest: ${file}`);
    failed += 1;
    continue;
  }
  const result = JSON.parse(readFileSync(file, 'utf8'));
  passed += result.numPassedTests;
  // A file that could not be loaded has no tests to count.
  failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
  const left = result.numPendingTests + result.numTodoTests;
  if (left > 0) console.log(`${left} tests were skipped`);
  complete &&= left === 0 && result.success;
}

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = complete && passed > 0 && failed === 0 ? 0 : 1;
