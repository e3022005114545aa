// Prints "N passed, N failed, N skipped" from vitest's JSON report, and nothing after it.
import { readFileSync } from 'node:fs'

/** A file that breaks before its first test has failed without a failed test. */
const broken = (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed')

let passed = 0
let failed = 0
let skipped = 0
try {
  const report = JSON.parse(readFileSync(process.argv[2], 'utf8'))
  passed = report.numPassedTests
  failed = report.numFailedTests + report.testResults.filter(broken).length
  skipped = report.numPendingTests + report.numTodoTests
} catch (error) {
  console.error(`vitest left no report: ${error.message}`)
  failed = 1
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = failed === 0 ? 0 : 1
