// Checks each package as npm would publish it: its manifest (publint), its types (attw), and what it brings along.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { supplyChainProblems } from './supply-chain.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const folders = ['packages/rules', 'packages/core', 'packages/adapters']
const checks = [
  (folder) => ['publint', folder, '--strict'],
  (folder) => ['attw', '--pack', folder, '--profile', 'esm-only'],
]

let failed = 0
for (const folder of folders) {
  for (const check of checks) {
    const args = check(folder)
    process.stdout.write(`\n${args.join(' ')}\n`)
    // --no-install: only what the lockfile brought.
    const { status } = spawnSync('npx', ['--no-install', ...args], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    if (status !== 0) failed += 1
  }
}
const problems = supplyChainProblems(root, folders)
for (const problem of problems) process.stdout.write(`\n${problem}`)
failed += problems.length

process.stdout.write(failed === 0 ? '\nAll package checks passed.\n' : `\n${failed} package checks failed.\n`)
process.exitCode = failed === 0 ? 0 : 1
