import { MESSAGE_CLASSES } from '@linli/rules'
import type { JourneyReport, SimulationReport } from '../simulation/report.js'
import type { Simulation } from '../simulation/tally.js'
import { usesText } from './budgets.js'
import { table } from './table.js'

/** A simulation's summary for people. */
export function formatSimulation(simulation: Simulation): string {
  const { events, from, until, tags, scores, journeys, messages, report } = simulation
  const sections = [
    `Events  ${events.accepted} accepted, ${events.duplicates} duplicate, ${events.rejected} rejected  (${from} … ${until})`,
    table(
      'Tags',
      ['members', 'added', 'removed'],
      Object.entries(tags).map(([id, one]) => [id, one.members, one.added, one.removed]),
    ),
    table(
      'Scores',
      ['changed'],
      Object.entries(scores).map(([id, one]) => [id, one.changed]),
    ),
    table(
      'Tiers',
      ['members'],
      Object.entries(scores).flatMap(([id, { tiers }]) =>
        Object.entries(tiers).map(([tier, members]): [string, number] => [`${id}: ${tier}`, members]),
      ),
    ),
    table(
      'Journeys',
      ['entered', 'exited', 'held', 'goals'],
      Object.entries(journeys).map(([id, one]) => [id, one.entered, one.exited, one.held, one.goals]),
    ),
    table(
      'Messages',
      [''],
      [
        ['planned', messages.planned],
        ['accepted', messages.accepted],
        ['deferred', messages.deferred],
        ...report.suppressed.map(({ reason, policy, count }): [string, number] => [
          `suppressed: ${reason}${policy === undefined ? '' : ` (${policy})`}`,
          count,
        ]),
      ],
    ),
    formatSends(report),
    table(
      'Held back',
      ['entries'],
      Object.entries(report.held).map(([reason, count]) => [reason, count]),
    ),
    table(
      'Coupons',
      ['issued', 'returned', 'worth'],
      Object.entries(report.coupons).map(([offer, { issued, returned, money }]) => [
        offer,
        issued,
        returned,
        money ?? '',
      ]),
    ),
    usesText(report),
    formatCommunities(report),
    ...Object.entries(report.journeys).flatMap(([id, journey]) => [
      formatFunnel(id, journey),
      formatComparison(id, journey),
    ]),
  ]
  return sections.filter((section) => section !== '').join('\n\n')
}

/** How many days, and communities, are shown. */
const MOST_SHOWN = 10

/** Messages by class: in all, and on the busiest days. */
function formatSends({ sends }: SimulationReport): string {
  const classes = MESSAGE_CLASSES.filter((one) => Object.values(sends).some((day) => day[one] !== undefined))
  const row = (name: string, days: readonly SimulationReport['sends'][string][]): [string, ...number[]] => {
    return [name, ...classes.map((one) => days.reduce((sum, day) => sum + (day[one] ?? 0), 0))]
  }
  const total = (day: SimulationReport['sends'][string]) => classes.reduce((sum, one) => sum + (day[one] ?? 0), 0)
  const busiest = Object.entries(sends).sort(([, one], [, other]) => total(other) - total(one))
  if (busiest.length === 0) return ''
  return table(`Sent in ${busiest.length} ${busiest.length === 1 ? 'day' : 'days'}, and on the busiest`, classes, [
    row('all', Object.values(sends)),
    ...busiest.slice(0, MOST_SHOWN).map(([day, counts]) => row(day, [counts])),
  ])
}

function formatCommunities({ communities }: SimulationReport): string {
  const most = Object.entries(communities).sort(([, one], [, other]) => other.sends - one.sends)
  const title = most.length > MOST_SHOWN ? `Communities (${MOST_SHOWN} of ${most.length})` : 'Communities'
  return table(
    title,
    ['sent', 'promotion', 'share'],
    most.slice(0, MOST_SHOWN).map(([id, { sends, promotions, share }]) => [id, sends, promotions, percent(share)]),
  )
}

/** What became of a journey's runs; nothing where nobody entered. */
function formatFunnel(id: string, { entered, subjects, steps, exits, goals, conversion }: JourneyReport): string {
  if (entered === 0) return ''
  const row = (name: string, runs: number): [string, number, string] => [name, runs, percent(runs / entered)]
  return table(
    `Funnel of ${id}`,
    ['runs', 'of all'],
    [
      row(`entered, by ${subjects} different`, entered),
      ...steps.map((step) => row(`  ${step.id}`, step.runs)),
      ...Object.entries(exits).map(([reason, runs]) => row(`left: ${reason}`, runs)),
      ...(conversion === null ? [] : [row('goal', goals)]),
    ],
  )
}

/** The goal of those who went through the journey, and of those who were kept out. */
function formatComparison(id: string, { compared }: JourneyReport): string {
  const groups = Object.entries(compared)
  return table(
    `Goal of ${id}`,
    ['of', 'reached', 'share', 'worth'],
    groups.map(([name, { of, goals, value }]) => [name, of, goals, of === 0 ? '' : percent(goals / of), value]),
  )
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`
}
