import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { journeyCaseArb } from '../../testing/journeys/cases.js'
import { JourneysDiffer } from '../../testing/journeys/comparison.js'
import { JOURNEY_MUTANTS } from '../../testing/journeys/mutants.js'
import { tryJourneys } from '../../testing/journeys/trial.js'
import type { Store } from '../ports/store.js'
import { openStore } from '../storage/open.js'
import { type OpenPglite, openPglite } from '../storage/sql/pglite.js'

vi.setConfig({ testTimeout: 600_000 })

const postgresUrl = inject('postgresUrl')
const freshSchema = () => `journeys_${randomBytes(6).toString('hex')}`

function onStores(open: () => Promise<Store>) {
  return fc.asyncProperty(journeyCaseArb(), async (one) => {
    const store = await open()
    await store.migrate()
    await tryJourneys(one, { store })
    await store.close()
  })
}

/** The same cases each time; `npm run campaign:journeys` tries others. */
const SEED = 1

describe('the engine decides about journeys as a plain interpreter does', () => {
  it('in memory', async () => {
    await fc.assert(
      fc.asyncProperty(journeyCaseArb(), (one) => tryJourneys(one)),
      { numRuns: 120, seed: SEED },
    )
  })

  it.skipIf(postgresUrl === undefined)('on PostgreSQL', async () => {
    await fc.assert(
      onStores(() => openStore(postgresUrl ?? '', { schema: freshSchema(), clock: 'engine' })),
      { numRuns: 10, seed: SEED },
    )
  })

  describe('on PGlite', () => {
    let pglite: OpenPglite
    beforeAll(async () => {
      pglite = await openPglite(undefined)
    })
    afterAll(() => pglite.close())

    it('as well', async () => {
      const open = () => openStore(pglite.db, { schema: freshSchema(), clock: 'engine', concurrency: 1 })
      await fc.assert(onStores(open), { numRuns: 6, seed: SEED })
    })
  })

  it.each(Object.entries(JOURNEY_MUTANTS))('and notices it when %s', async (_, mutant) => {
    const { about = /^/, focus } = mutant
    const cases = journeyCaseArb(focus).filter(({ journeys: [first = []] }) => about.test(JSON.stringify(first)))
    const broken = fc.asyncProperty(cases, (one) => tryJourneys(one, { mutant }))
    const { errorInstance } = await fc.check(broken, { numRuns: 300, seed: SEED, endOnFailure: true })
    expect(errorInstance).toBeInstanceOf(JourneysDiffer)
  })
})
