import fc from 'fast-check'
import type { Kysely } from 'kysely'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { ReusedSchema, sharedPglite } from '../../testing/database.js'
import { eveningArb, MORNING_AFTER, type Slot } from '../../testing/evening.js'
import { EveningRun, type Host, inOrder, knowledge, log, playEvening, states } from '../../testing/evening-run.js'
import type { Store } from '../ports/store.js'
import { memoryStore } from '../storage/memory/store.js'
import { openStore } from '../storage/open.js'
import { openPostgres } from '../storage/sql/postgres.js'
import type { IncomingEvent } from './event.js'

const postgresUrl = inject('postgresUrl')
/** More for a long search: LINLI_RUNS=1000. */
const RUNS = Number(process.env['LINLI_RUNS'] ?? 30)
const TIMEOUT_MS = Math.max(180_000, RUNS * 1000)
if (postgresUrl === undefined) console.warn('SKIPPED: exactly-once on PostgreSQL; there is no database.')

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

interface Shuffled {
  readonly slots: readonly Slot[]
  readonly batches: readonly (readonly IncomingEvent[])[]
}

/** What is known when all events come at once, in order, when the evening is over. */
async function knownAfterwards(slots: readonly Slot[]) {
  const run = new EveningRun(memoryStore(), END)
  const engine = await run.start()
  await run.ingest(engine, ...slots.flatMap(({ events }) => events))
  await engine.settle()
  return knowledge(run.store, END)
}

const check = <T extends [unknown, ...unknown[]]>(property: fc.IAsyncProperty<T>) =>
  fc.assert(property, { numRuns: RUNS, endOnFailure: true })

async function playTwice(slots: readonly Slot[], store: Store): Promise<void> {
  const once = await reference(slots)
  const run = new EveningRun(store, startOf(slots))

  await playEvening(run, slots, { host: twice })

  expect(run.accepted).toBe(once.accepted)
  expect(await states(store)).toEqual(await states(once.store))
  expect(await log(store, { exactly: true })).toEqual(await log(once.store, { exactly: true }))
  expect(run.provider.calls).toHaveLength(once.provider.calls.length)
}

async function playShuffled({ slots, batches }: Shuffled, store: Store): Promise<void> {
  const run = new EveningRun(store, END)
  const engine = await run.start()

  for (const batch of batches) await run.ingest(engine, ...batch)
  await engine.settle()

  expect(await knowledge(store, END)).toEqual(await knownAfterwards(slots))
}

/** Plays with a crash at a share of the transactions that it takes; tells whether the process came that far. */
async function playWithCrash(slots: readonly Slot[], share: number, commits: boolean, store: Store): Promise<boolean> {
  const once = await reference(slots)
  const run = new EveningRun(store, startOf(slots))
  const transaction = 1 + Math.floor(share * (once.transactionsMade - 1))

  const { crashed } = await playEvening(run, slots, { plan: { transaction, commits } })

  expect(await knowledge(store, MORNING_AFTER)).toEqual(await knowledge(once.store, MORNING_AFTER))
  expect(await log(store, { exactly: false })).toEqual(await log(once.store, { exactly: false }))
  const keys = run.provider.sent.map(({ deliveryKey }) => deliveryKey)
  expect(new Set(keys).size).toBe(keys.length)
  expect(keys).toHaveLength(once.provider.sent.length)
  return crashed
}

/** Two processes, each with connections of its own, take in batches at the same time, some of them both. */
async function playAtOnce({ slots, batches }: Shuffled, takers: Iterator<Taker>, stores: readonly [Store, Store]) {
  const runs = stores.map((store) => new EveningRun(store, END))
  const processes = await Promise.all(runs.map(async (run) => ({ run, engine: await run.start() })))

  await Promise.all(
    batches.flatMap((batch) => {
      const taker = takers.next().value as Taker
      const taking = processes.filter((_, index) => taker === 'both' || taker === index)
      return taking.map(({ run, engine }) => run.ingest(engine, ...batch))
    }),
  )
  await Promise.all(processes.map(({ engine }) => engine.settle()))
  await processes[0]?.engine.settle()

  expect(runs.reduce((sum, run) => sum + run.accepted, 0)).toBe(batches.flat().length)
  expect(await knowledge(stores[0], END)).toEqual(await knownAfterwards(slots))
}

type Taker = 0 | 1 | 'both'

function promises(name: string, open: () => Promise<Kysely<unknown>>, concurrency: number) {
  describe(`on ${name}`, { timeout: TIMEOUT_MS }, () => {
    let db: Kysely<unknown>
    let schema: ReusedSchema
    beforeAll(async () => {
      db = await open()
      schema = new ReusedSchema(db)
    })
    const anew = async (work: (store: Store) => Promise<void>) => {
      const store = await openStore(db, { schema: await schema.emptied(), clock: 'engine', concurrency })
      await store.migrate()
      await work(store)
    }

    it('events that come twice, also at the same time, change nothing', async () => {
      await check(fc.asyncProperty(eveningArb, (slots) => anew((store) => playTwice(slots, store))))
    })

    it('events that come in any order and in batches of any size come to the same', async () => {
      await check(fc.asyncProperty(shuffledArb, (shuffled) => anew((store) => playShuffled(shuffled, store))))
    })

    it('a crash between any two transactions loses nothing and does nothing twice', async () => {
      let crashes = 0
      const shareArb = fc.double({ min: 0, max: 1, noNaN: true })
      await check(
        fc.asyncProperty(eveningArb, shareArb, fc.boolean(), (slots, share, commits) =>
          anew(async (store) => {
            crashes += Number(await playWithCrash(slots, share, commits, store))
          }),
        ),
      )
      expect(crashes).toBeGreaterThan(RUNS * 0.8)
    })
  })
}

promises('PGlite', sharedPglite, 1)

describe.skipIf(postgresUrl === undefined)('with a server', { timeout: TIMEOUT_MS }, () => {
  const [db, otherDb] = [openPostgres(postgresUrl ?? '', {}), openPostgres(postgresUrl ?? '', {})]
  afterAll(() => Promise.all([db.destroy(), otherDb.destroy()]))

  promises('PostgreSQL', () => Promise.resolve(db), 2)

  it('two processes that take in events at once lose nothing, and no conflict reaches the host', async () => {
    const reused = new ReusedSchema(db)
    const takersArb = fc.infiniteStream(fc.constantFrom<Taker>(0, 1, 'both'))
    await check(
      fc.asyncProperty(shuffledArb, takersArb, async (shuffled, takers) => {
        const options = { schema: await reused.emptied(), clock: 'engine', concurrency: 2 } as const
        const [one, other] = [await openStore(db, options), await openStore(otherDb, options)]
        await one.migrate()
        await playAtOnce(shuffled, takers, [one, other])
      }),
    )
  })
})
