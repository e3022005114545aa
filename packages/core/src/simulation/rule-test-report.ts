import { placeText } from '@linli/rules'
import { formatExplanation } from '../insights/format.js'
import type { RuleTestResult } from './rule-tests.js'

/** What came of a test, for people: each expectation that was not met, where it stands, and why things are as they are. */
export function formatRuleTest({ id, name, passed, failures }: RuleTestResult): string {
  const lines = [`${passed ? '✓' : '✗'} ${name === undefined ? id : `${name} (${id})`}`]
  for (const { place, message, explained } of failures) {
    lines.push(`    ${message}`, `    ${placeText(place)}`)
    if (explained !== undefined)
      lines.push(
        ...formatExplanation(explained)
          .split('\n')
          .map((line) => `      ${line}`),
      )
  }
  return lines.join('\n')
}
