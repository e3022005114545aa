import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { eveningArb, MORNING_AFTER, type Slot } from '../../testing/evening.js'
import { EveningRun, type Host, inOrder, knowledge, log, playEvening, states } from '../../testing/evening-run.js'
import type { Store } from '../ports/store.js'
import { memoryStore } from '../storage/memory/store.js'
import { openStore } from '../storage/open.js'
import { type OpenPglite, openPglite } from '../storage/sql/pglite.js'
import { openPostgres } from '../storage/sql/postgres.js'
import type { IncomingEvent } from './event.js'

const postgresUrl = inject('postgresUrl')
/** More for a long search: LINLI_RUNS=1000. */
const RUNS = Number(process.env['LINLI_RUNS'] ?? 30)
const TIMEOUT_MS = Math.max(60_000, RUNS * 1000)
if (postgresUrl === undefined) console.warn('SKIPPED: exactly-once on PostgreSQL; there is no database.')

type Database = Awaited<ReturnType<typeof openPglite>>['db']

/** Runs a test in a schema of its own; the schema of a run that fails is kept. */
async function inSchema(db: Database, concurrency: number, work: (store: Store, schema: string) => Promise<void>) {
  const schema = `once_${randomBytes(6).toString('hex')}`
  const store = await openStore(db, { schema, clock: 'engine', concurrency })
  await store.migrate()
  await work(store, schema)
  await sql`drop schema ${sql.id(schema)} cascade`.execute(db)
}

const startOf = (slots: readonly Slot[]) => slots[0]?.at ?? 0

/** The evening in order, nothing lost and nothing twice. */
async function reference(slots: readonly Slot[]): Promise<EveningRun & { readonly transactionsMade: number }> {
  const run = new EveningRun(memoryStore(), startOf(slots))
  const { transactions } = await playEvening(run, slots)
  return Object.assign(run, { transactionsMade: transactions })
}

const twice: Host = async (run, engine, events) => {
  const [first] = events
  await Promise.all([
    run.ingest(engine, ...events, ...events),
    ...(first === undefined ? [] : [run.ingest(engine, first), run.ingest(engine, first)]),
    run.ingest(engine, ...events),
  ])
  await inOrder(run, engine, events)
}

/** Batches of random size in random order, all after the last event has happened. */
const batchesArb = (slots: readonly Slot[]) => {
  const events = slots.flatMap((slot) => slot.events)
  return fc
    .tuple(
      fc.shuffledSubarray(events, { minLength: events.length }),
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: events.length, maxLength: events.length }),
    )
    .map(([shuffled, sizes]) => {
      const rest = [...shuffled]
      return sizes.flatMap((size) => (rest.length === 0 ? [] : [rest.splice(0, size)]))
    })
}

const shuffledArb = eveningArb.chain((slots) => fc.record({ slots: fc.constant(slots), batches: batchesArb(slots) }))
const END = MORNING_AFTER - 12 * 3_600_000

/** What is known when all events come at once, in order, when the evening is over. */
async function knownAfterwards(slots: readonly Slot[]) {
  const run = new EveningRun(memoryStore(), END)
  const engine = await run.start()
  await run.ingest(engine, ...slots.flatMap(({ events }) => events))
  await engine.settle()
  return knowledge(run.store, END)
}

function promises(name: string, open: () => Promise<{ db: Database; close(): Promise<void> }>, concurrency: number) {
  describe(`on ${name}`, () => {
    let database: Awaited<ReturnType<typeof open>>
    beforeAll(async () => {
      database = await open()
    })
    afterAll(() => database?.close())
    const parameters = { numRuns: RUNS, endOnFailure: true }

    it('events that come twice, also at the same time, change nothing', async () => {
      await fc.assert(
        fc.asyncProperty(eveningArb, async (slots) => {
          const once = await reference(slots)
          await inSchema(database.db, concurrency, async (store) => {
            const run = new EveningRun(store, startOf(slots))
            await playEvening(run, slots, { host: twice })

            expect(run.accepted).toBe(once.accepted)
            expect(await states(store)).toEqual(await states(once.store))
            expect(await log(store, { exactly: true })).toEqual(await log(once.store, { exactly: true }))
            expect(run.provider.calls).toHaveLength(once.provider.calls.length)
          })
        }),
        parameters,
      )
    }, TIMEOUT_MS)

    it('events that come in any order and in batches of any size come to the same', async () => {
      await fc.assert(
        fc.asyncProperty(shuffledArb, async ({ slots, batches }) => {
          const expected = await knownAfterwards(slots)
          await inSchema(database.db, concurrency, async (store) => {
            const run = new EveningRun(store, END)
            const engine = await run.start()
            for (const batch of batches) await run.ingest(engine, ...batch)
            await engine.settle()

            expect(await knowledge(store, END)).toEqual(expected)
          })
        }),
        parameters,
      )
    }, TIMEOUT_MS)

    it('a crash between any two transactions loses nothing and does nothing twice', async () => {
      let crashes = 0
      await fc.assert(
        fc.asyncProperty(
          eveningArb,
          fc.double({ min: 0, max: 1, noNaN: true }),
          fc.boolean(),
          async (slots, share, commits) => {
            const once = await reference(slots)
            const transaction = 1 + Math.floor(share * (once.transactionsMade - 1))
            await inSchema(database.db, concurrency, async (store) => {
              const run = new EveningRun(store, startOf(slots))
              const { crashed } = await playEvening(run, slots, { plan: { transaction, commits } })
              crashes += Number(crashed)

              expect(await knowledge(store, MORNING_AFTER)).toEqual(await knowledge(once.store, MORNING_AFTER))
              expect(await log(store, { exactly: false })).toEqual(await log(once.store, { exactly: false }))
              const keys = run.provider.sent.map(({ deliveryKey }) => deliveryKey)
              expect(new Set(keys).size).toBe(keys.length)
              expect(keys).toHaveLength(once.provider.sent.length)
            })
          },
        ),
        parameters,
      )
      expect(crashes).toBeGreaterThan(RUNS * 0.8)
    }, TIMEOUT_MS)
  })
}

promises('PGlite', () => openPglite(undefined) as Promise<OpenPglite>, 1)

describe.skipIf(postgresUrl === undefined)('with a server', () => {
  const open = () => {
    const db = openPostgres(postgresUrl ?? '', {})
    return Promise.resolve({ db, close: () => db.destroy() })
  }
  promises('PostgreSQL', open, 2)

  describe('two processes that take in events at the same time', () => {
    let [one, other]: Awaited<ReturnType<typeof open>>[] = []
    beforeAll(async () => {
      one = await open()
      other = await open()
    })
    afterAll(async () => {
      await one?.close()
      await other?.close()
    })

    it('lose nothing, and no deadlock or conflict reaches the host', async () => {
      // To each batch: which process takes it in; sometimes both.
      const takersArb = fc.infiniteStream(fc.constantFrom('one', 'other', 'both'))
      await fc.assert(
        fc.asyncProperty(shuffledArb, takersArb, async ({ slots, batches }, takers) => {
          if (one === undefined || other === undefined) throw new Error('there is no database')
          const expected = await knownAfterwards(slots)
          const second = other.db
          await inSchema(one.db, 2, async (store, schema) => {
            const runs = [
              new EveningRun(store, END),
              new EveningRun(await openStore(second, { schema, clock: 'engine', concurrency: 2 }), END),
            ] as const
            const engines = await Promise.all(runs.map((run) => run.start()))
            const share = (batch: readonly IncomingEvent[], taker: string | undefined) =>
              runs.flatMap((run, index) => {
                const engine = engines[index]
                const isMine = taker === 'both' || taker === (index === 0 ? 'one' : 'other')
                return isMine && engine !== undefined ? [run.ingest(engine, ...batch)] : []
              })

            await Promise.all(batches.flatMap((batch) => share(batch, takers.next().value)))
            await Promise.all(engines.map((engine) => engine.settle()))
            await engines[0]?.settle()

            const events = batches.flat()
            expect(runs[0].accepted + runs[1].accepted).toBe(events.length)
            expect(await knowledge(store, END)).toEqual(expected)
          })
        }),
        { numRuns: RUNS, endOnFailure: true },
      )
    }, TIMEOUT_MS)
  })
})
