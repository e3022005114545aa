import type { Simulation } from '../simulation/tally.js'
import type { ThingDifference, WhatIf } from '../simulation/what-if.js'
import { budgetName } from './budgets.js'
import { table } from './table.js'

/** How many subjects are listed; JSON has all of them. */
const LISTED = 20

/** What another pack would have changed, for people. */
export function formatWhatIf(result: WhatIf): string {
  const { old, new: now, tags, money, subjects } = result
  const sections = [
    `Events  ${now.events.accepted} accepted  (${now.from} … ${now.until})`,
    table(
      'Tags at the end',
      ['gained', 'lost'],
      Object.entries(tags).map(([id, one]) => [id, one.gained.length, one.lost.length]),
    ),
    compared('Journeys entered', old, now, ({ journeys }) =>
      Object.fromEntries(Object.entries(journeys).map(([id, { entered }]) => [id, entered])),
    ),
    compared('Messages', old, now, ({ messages: { planned, accepted, suppressed } }) => ({
      planned,
      accepted,
      ...Object.fromEntries(Object.entries(suppressed).map(([reason, count]) => [`suppressed: ${reason}`, count])),
    })),
    compared('Coupons', old, now, ({ coupons }) => coupons),
    compared('Budgets used', old, now, ({ report }) =>
      Object.fromEntries(report.budgets.map((use) => [budgetName(use), use.used])),
    ),
    money.old === money.new ? '' : table('Money', ['old', 'new'], [['worth of coupons', money.old, money.new]]),
    listOf(subjects),
  ]
  return sections.filter((section) => section !== '').join('\n\n')
}

/** Counts of both packs, where they differ. */
function compared(
  title: string,
  old: Simulation,
  now: Simulation,
  countsOf: (simulation: Simulation) => Readonly<Record<string, number>>,
): string {
  const [before, after] = [countsOf(old), countsOf(now)]
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const rows = names.map((name): [string, number, number] => [name, before[name] ?? 0, after[name] ?? 0])
  return table(
    title,
    ['old', 'new'],
    rows.filter(([, one, other]) => one !== other),
  )
}

function listOf(subjects: WhatIf['subjects']): string {
  if (subjects.length === 0) return 'Nobody would have got anything else.'
  const lines = subjects
    .slice(0, LISTED)
    .flatMap(({ subject, gained, lost }) => [
      `  ${subject}`,
      ...gained.map((one) => `    + ${wordsOf(one)}`),
      ...lost.map((one) => `    - ${wordsOf(one)}`),
    ])
  const rest = subjects.length - LISTED
  return [
    `${subjects.length} would have got something else`,
    ...lines,
    ...(rest > 0 ? [`  … and ${rest} more; --json has all of them`] : []),
  ].join('\n')
}

function wordsOf({ kind, rule, template, old, new: now, first, why }: ThingDifference): string {
  const what = template === undefined ? rule : `${rule}/${template}`
  const other = now > old ? 'before' : 'now'
  return `${kind} ${what}: ${old} → ${now}, first ${first} (${other}: ${why})`
}
