import type { Pack } from '@linli/rules'
import { formatRuleTest } from '../simulation/rule-test-report.js'
import { ruleTests } from '../simulation/rule-tests.js'
import type { ContractCase } from './channel-contract.js'

/**
 * The tests of a pack (`"kind": "test"`) for a test runner: `for (const { title, run } of ruleCases(pack)) it(title, run)`.
 * `run` rejects with a text that says what was expected, what was found, and why.
 */
export function ruleCases(pack: Pack): readonly ContractCase[] {
  return ruleTests(pack).map(({ id, run }) => ({
    title: id,
    run: async () => {
      const result = await run()
      if (!result.passed) throw new Error(formatRuleTest(result))
    },
  }))
}
