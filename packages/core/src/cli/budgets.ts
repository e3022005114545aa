import { Command } from 'commander'
import type { BudgetUse, PolicyUse } from '../operations/budgets.js'
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
  const sections = [
    table(
      'Budgets',
      ['used', 'of', '', 'in'],
      budgets.map((use) => [budgetName(use), use.used, use.max, use.of, use.window ?? 'all']),
    ),
    table(
      'Mixes of communities',
      ['alike', 'all', 'at most', 'in'],
      mixes.map((use) => [budgetName(use), use.alike, use.all, `${(100 * use.share).toFixed(1)}%`, use.window]),
    ),
  ]
  return sections.filter((section) => section !== '').join('\n\n')
}

/** Whose it is: a policy's, or that of one community. */
export function budgetName({ policy, community }: Pick<BudgetUse, 'policy' | 'community'>): string {
  return community === undefined ? policy : `${policy}: ${community}`
}
