import { existsSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, describe, expect, inject, it, vi } from 'vitest'
import { ReusedSchema } from '../../testing/database.js'
import { GROCERY_EVENTS, groceryRecording } from '../../testing/production/grocery.js'
import { randomCaseArb, recordingOf } from '../../testing/production/random-packs.js'
import { differenceOf, liveLines, simulatedLines } from '../../testing/production/twice.js'
import { openStore } from '../storage/open.js'
import { openPostgres } from '../storage/sql/postgres.js'

vi.setConfig({ testTimeout: 600_000 })

const postgresUrl = inject('postgresUrl')
if (postgresUrl === undefined) console.warn('SKIPPED: simulation equals production; there is no PostgreSQL.')

const isGroceryThere = existsSync(GROCERY_EVENTS)
if (!isGroceryThere) console.warn(`SKIPPED: a month of real orders. There is no ${GROCERY_EVENTS}; see LINLI_DATA.`)

const db = openPostgres(postgresUrl ?? '', {})
const schema = new ReusedSchema(db)
const openFresh = async () => openStore(db, { schema: await schema.emptied(), clock: 'engine' })

/** The kinds of decisions that are among these lines. */
function kindsOf(lines: readonly string[]): ReadonlySet<string> {
  return new Set(lines.map((line) => (JSON.parse(line) as { decision: string }).decision))
}

describe.skipIf(postgresUrl === undefined)(
  'a simulation tells what two processes on PostgreSQL do, line for line',
  () => {
    afterAll(() => db.destroy())

    it('of random packs', async () => {
      const seen = new Set<string>()
      await fc.assert(
        fc.asyncProperty(randomCaseArb, async (one) => {
          const recording = recordingOf(one)
          const simulated = await simulatedLines(recording)
          for (const kind of kindsOf(simulated)) seen.add(kind)
          expect(differenceOf(simulated, await liveLines(recording, await openFresh()))).toBeUndefined()
        }),
        // The same packs each time; `npm run campaign:simulation` tries others.
        { numRuns: Number(process.env['LINLI_RUNS'] ?? 30), seed: 1 },
      )
      const ofMessages = ['message.accepted', 'message.deferred', 'message.rejected', 'message.suppressed']
      const rest = [
        'journey.held',
        'coupon.issued',
        'coupon.refused',
        'coupon.refused',
        'coupon.returned',
        'coupon.deferred',
        'suggestion.made',
        'identity.merged',
      ]
      expect([...seen]).toEqual(expect.arrayContaining([...ofMessages, ...rest]))
    })

    it.skipIf(!isGroceryThere)('of a month of real orders, of one household in six', async () => {
      const recording = await groceryRecording('2017-05-01', '2017-06-01', 6)
      const simulated = await simulatedLines(recording)
      expect(differenceOf(simulated, await liveLines(recording, await openFresh()))).toBeUndefined()

      const journeys = ['journey.entered', 'journey.stepped', 'journey.exited', 'journey.held', 'journey.goal']
      const rest = ['tag.added', 'coupon.issued', 'coupon.refused', 'message.accepted', 'message.suppressed']
      expect([...kindsOf(simulated)]).toEqual(expect.arrayContaining([...journeys, ...rest]))
    })
  },
)
