import type { Simulation } from '../simulation/simulate.js'

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

function table(title: string, columns: readonly string[], rows: readonly (readonly [string, ...number[]])[]): string {
  if (rows.length === 0) return ''
  const width = Math.max(title.length, ...rows.map(([name]) => displayWidth(name)))
  const pad = (text: string) => text + ' '.repeat(width - displayWidth(text))
  const cells = (values: readonly (string | number)[]) => values.map((value) => String(value).padStart(10)).join('')
  return [pad(title) + cells(columns), ...rows.map(([name, ...values]) => pad(name) + cells(values))]
    .map((line) => line.trimEnd())
    .join('\n')
}

/** Columns a text takes in a terminal: characters of Chinese, Japanese and Korean take two. */
function displayWidth(text: string): number {
  return [...text].reduce(
    (width, character) =>
      width +
      (/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/u.test(character) ? 2 : 1),
    0,
  )
}
