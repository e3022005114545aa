import { memoryStore } from '../../../src/storage/memory/store.js'
import { openStore } from '../../../src/storage/open.js'
import { ReusedSchema, sharedPglite } from '../../database.js'
import { type Part, tryCases } from '../part.js'
import { simulateTown } from '../simulation.js'

/** So many steps have sixty days; on PGlite two. */
const STEPS = 40
const STEPS_ON_PGLITE = 2

export const IN_MEMORY: Part = {
  name: 'T1',
  does: '60 days of random journeys under a clock that jumps; one to four processes in turns, which crash wherever they wait',
  run: (bench) => tryCases(bench, 10_000, (seed) => simulateTown(seed, memoryStore(), STEPS)),
}

export const ON_PGLITE: Part = {
  name: 'T2',
  does: 'the same on PGlite, in fewer steps',
  run: async (bench) => {
    const db = await sharedPglite()
    const schema = new ReusedSchema(db)
    return tryCases(bench, 1_000, async (seed) => {
      const store = await openStore(db, { schema: await schema.emptied(), clock: 'engine', concurrency: 1 })
      await store.migrate()
      return simulateTown(seed, store, STEPS_ON_PGLITE)
    })
  },
}
