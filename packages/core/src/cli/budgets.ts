import { Command } from 'commander'
import type { PolicyUse } from '../operations/budgets.js'
import { databaseOption, withOperations } from './database.js'
import { print, printJson } from './output.js'
import { table } from './table.js'

export function budgetsCommand(): Command {
  return new Command('budgets')
    .description('Show how much of each budget is used, and the mix of what communities get.')
    .addOption(databaseOption())
    .option('--json', 'print one JSON document')
    .action(async ({ db, json }: { readonly db: string; readonly json?: true }) => {
      const use = await withOperations(db, (operations) => operations.budgets())
      if (json) printJson(use)
      else print(usesText(use) || 'The rules have no budget, and no mix of communities.')
    })
}

/** Budgets and mixes, as tables for a terminal. */
export function usesText({ budgets, mixes }: PolicyUse): string {
  const nameOf = (policy: string, community?: string) => (community === undefined ? policy : `${policy}: ${community}`)
  const sections = [
    table(
      'Budgets',
      ['used', 'of', '', 'in'],
      budgets.map(({ policy, community, used, max, of, window = 'all' }) => [
        nameOf(policy, community),
        ...[used, max, of, window],
      ]),
    ),
    table(
      'Mixes of communities',
      ['alike', 'all', 'at most', 'in'],
      mixes.map(({ policy, community, alike, all, share, window }) => [
        nameOf(policy, community),
        ...[alike, all, `${(100 * share).toFixed(1)}%`, window],
      ]),
    ),
  ]
  return sections.filter((section) => section !== '').join('\n\n')
}
