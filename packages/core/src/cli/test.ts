import { loadPack } from '@linli/rules'
import { Command } from 'commander'
import { formatRuleTest } from '../simulation/rule-test-report.js'
import { runRuleTests } from '../simulation/rule-tests.js'
import { print, printJson, tell } from './output.js'

interface TestFlags {
  readonly json?: boolean
}

export function testCommand(): Command {
  return new Command('test')
    .description("Run a pack's own tests. Exit code 1 when one fails.")
    .argument('<pack...>', 'folders or files of rules')
    .option('--json', 'print one JSON document')
    .action(run)
}

async function run(packs: readonly string[], { json }: TestFlags): Promise<void> {
  const results = await runRuleTests(await loadPack(...packs))
  const failed = results.filter(({ passed }) => !passed).length
  if (json) printJson({ ok: failed === 0, tests: results.length, failed, results })
  else {
    for (const result of results) print(formatRuleTest(result))
    tell(`${results.length} ${results.length === 1 ? 'test' : 'tests'}, ${failed} failed`)
  }
  process.exitCode = failed === 0 ? 0 : 1
}
