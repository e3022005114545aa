import type { Simulation } from '../simulation/simulate.js'
import { table } from './table.js'

/** A simulation's summary for people. */
export function formatSimulation(simulation: Simulation): string {
  const { events, from, until, tags, scores, journeys, messages, coupons } = simulation
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
        ...Object.entries(messages.suppressed).map(([reason, count]): [string, number] => [
          `suppressed: ${reason}`,
          count,
        ]),
      ],
    ),
    table('Coupons', ['issued'], Object.entries(coupons)),
  ]
  return sections.filter((section) => section !== '').join('\n\n')
}
