import { randomBytes } from 'node:crypto'
import { CamelCasePlugin, Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { type SubjectKey, UNBORN } from '../../domain/subject.js'
import type { LockedSubject, Store, StoredEvent, StoreTransaction } from '../../ports/store.js'
import { deliveryOf } from '../../testing/store-checks/material.js'
import { type OpenStoreOptions, openStore } from '../open.js'
import { tablesIn } from './tables.js'

const postgresUrl = inject('postgresUrl') ?? ''

let schema: string
let host: Kysely<unknown>
let stores: Store[]

beforeEach(() => {
  schema = `store "${randomBytes(6).toString('hex')}"; --`
  stores = []
  host = new Kysely({
    dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: postgresUrl }) }),
    plugins: [new CamelCasePlugin()],
  })
})

afterEach(async () => {
  await Promise.all(stores.map((store) => store.close()))
  await host.destroy()
})

async function open(options: OpenStoreOptions = {}, database: string | Kysely<unknown> = postgresUrl): Promise<Store> {
  const store = await openStore(database, { schema, ...options })
  stores.push(store)
  await store.migrate()
  return store
}

function event(messageId: string): StoredEvent {
  return { messageId, type: 'track', event: 'e', userId: 'u-1', at: 5, receivedAt: 6, properties: {} }
}

const user = (id: string): SubjectKey => ({ kind: 'user', id })

async function touch(tx: StoreTransaction, ...ids: string[]): Promise<void> {
  const locked = await tx.lockSubjects(ids.map(user))
  await tx.saveSubjects(locked.map((one) => ({ ...one, state: { ...one.state, at: one.state.at + 1 }, dueAt: 5 })))
}

/** Counts, and is due then: each time in another place of the index. */
async function touchAt(tx: StoreTransaction, id: string, dueAt: number, found?: LockedSubject): Promise<void> {
  const locked = found === undefined ? await tx.lockSubjects([user(id)]) : [found]
  await tx.saveSubjects(locked.map((one) => ({ ...one, state: { ...one.state, at: one.state.at + 1 }, dueAt })))
}

describe.skipIf(postgresUrl === '')('the store on PostgreSQL', () => {
  it('is created by many processes at once, in a schema of its own', async () => {
    await Promise.all(Array.from({ length: 6 }, () => open()))
    const { rows } = await sql<{ name: string }>`
      select table_name as name from information_schema.tables where table_schema = ${schema} order by 1
    `.execute(host)
    expect(rows.map(({ name }) => name)).toEqual([
      ...[
        'baseline',
        'channel_calls',
        'counter',
        'coupon',
        'coupon_code',
        'coupon_pool',
        'coupon_spending',
        'decision',
        'delivery',
        'event',
        'identity',
        'inbox',
        'journey',
        'merge',
      ],
      ...['migration', 'migration_lock', 'subject', 'subject_key', 'tally', 'tombstone', 'tombstone_key', 'version'],
    ])
  })

  it("goes by the server's clock, or leaves time to the engine", async () => {
    const now = await (await open()).transaction((tx) => tx.now())
    expect(Math.abs((now ?? 0) - Date.now())).toBeLessThan(60_000)
    expect(Number.isInteger(now)).toBe(true)
    expect(await (await open({ clock: 'engine' })).transaction((tx) => tx.now())).toBeUndefined()
  })

  it("works on the host's Kysely, whatever its plugins, and leaves it open", async () => {
    const store = await open({}, host)
    await store.transaction((tx) => tx.addEvents([event('m-1')]))
    expect(await store.readEvents({ userIds: ['u-1'] })).toEqual([event('m-1')])
    await store.close()
    expect((await sql`select 1 as one`.execute(host)).rows).toEqual([{ one: 1 }])
  })

  it("is kept or not with the host's transaction that it joined", async () => {
    const store = await open()
    const work = host.transaction().execute(async (trx) => {
      await store.join?.(trx).addEvents([event('m-1')])
      throw new Error('The host gives up.')
    })
    await expect(work).rejects.toThrow('The host gives up.')
    expect(await store.readEvents({ userIds: ['u-1'] })).toEqual([])
    await host.transaction().execute((trx) => store.join?.(trx).addEvents([event('m-1')]) ?? Promise.reject())
    expect(await store.readEvents({ userIds: ['u-1'] })).toEqual([event('m-1')])
  })

  it('joins nothing but a transaction of kysely', async () => {
    const store = await open()
    expect(() => store.join?.(new pg.Client())).toThrow("must be kysely's (a Transaction")
    expect(() => store.join?.(undefined)).toThrow('not undefined')
  })

  it('keeps nothing when a statement failed, even if the work caught the error', async () => {
    const store = await open()
    const work = store.transaction(async (tx) => {
      await tx.addEvents([event('m-1')])
      await tx.addEvents([event('m-\u0000')]).catch(() => undefined)
    })
    await expect(work).rejects.toMatchObject({ code: '22021' })
    expect(await store.readEvents({ userIds: ['u-1'] })).toEqual([])
  })

  it('lets batches with the same events wait for one another, whatever their order', async () => {
    const store = await open()
    const events = Array.from({ length: 2000 }, (_, index) => event(`m-${index}`))
    let runs = 0
    const add = (batch: readonly StoredEvent[]) =>
      store.transaction(async (tx) => {
        runs++
        return (await tx.addEvents(batch)).size
      })
    const added = await Promise.all([add(events), add(events.toReversed()), add(events)])
    expect(added.toSorted((a, b) => a - b)).toEqual([0, 0, 2000])
    expect(runs).toBe(3)
  })

  it('runs the loser of a deadlock again', async () => {
    const store = await open()
    await store.transaction((tx) => touch(tx, 'a', 'b'))
    let runs = 0
    let holding = 0
    let openGate = (): void => undefined
    const bothHoldOne = new Promise<void>((resolve) => {
      openGate = resolve
    })
    const opposite = (first: string, second: string) =>
      store.transaction(async (tx) => {
        runs++
        await touch(tx, first)
        holding++
        if (holding === 2) openGate()
        await bothHoldOne
        await touch(tx, second)
      })
    await Promise.all([opposite('a', 'b'), opposite('b', 'a')])
    expect(runs).toBe(3)
    expect((await store.readSubject(user('a')))?.at).toBe(3)
  })

  it('keeps one row of a subject that was created and rewritten since somebody looked', async () => {
    const store = await open()
    let looked = 0
    await store.transaction(async (tx) => {
      const [found] = await tx.lockSubjects([user('a')])
      looked++
      if (looked === 1)
        for (let times = 0; times < 3; times++) await store.transaction((other) => touchAt(other, 'a', times))
      expect(found?.isNew).toBe(looked === 1)
      await touchAt(tx, 'a', 9, found)
    })
    expect(looked).toBe(2)
    expect(await store.countSubjects()).toBe(1)
    expect((await store.readSubject(user('a')))?.at).toBe(4)
  })

  it("keeps one row also where the host's transaction sees only what was there when it began", async () => {
    const store = await open()
    const looking = host
      .transaction()
      .setIsolationLevel('repeatable read')
      .execute(async (trx) => {
        const tx = store.join?.(trx)
        if (tx === undefined) throw new Error('This store joins transactions.')
        const [found] = await tx.lockSubjects([user('a')])
        for (let times = 0; times < 3; times++) await store.transaction((other) => touchAt(other, 'a', times))
        await touchAt(tx, 'a', 9, found)
      })
    await expect(looking).rejects.toMatchObject({ code: '40001' })
    expect(await store.countSubjects()).toBe(1)
  })

  it('finds what was written last, whatever was written before, and forgets all of it', async () => {
    const store = await open()
    const [a, b] = [user('a'), user('b')]
    await store.transaction((tx) => touch(tx, 'b'))
    for (let times = 0; times < 5; times++) {
      await store.transaction(async (tx) => {
        await touchAt(tx, 'a', times)
        await touchAt(tx, 'a', times)
      })
    }
    expect((await store.readSubject(a))?.at).toBe(10)
    await store.transaction(async (tx) => {
      expect((await tx.peekSubjects([b, a])).map(({ key: { id }, state: { at } }) => [id, at])).toEqual([
        ['b', 1],
        ['a', 10],
      ])
      await tx.removeSubject(a)
      expect(await tx.peekSubjects([a])).toEqual([])
    })
    await store.transaction((tx) => touchAt(tx, 'a', 1))
    expect((await store.readSubject(a))?.at).toBe(1)
  })

  it('writes over a subject that is removed and created anew in one transaction', async () => {
    const store = await open()
    for (let times = 0; times < 3; times++) await store.transaction((tx) => touchAt(tx, 'a', times))
    await store.transaction(async (tx) => {
      const [before] = await tx.lockSubjects([user('a')])
      await tx.removeSubject(user('a'))
      const anew = { key: user('a'), state: UNBORN, dueAt: undefined, isNew: true, version: 0 }
      await touchAt(tx, 'a', 1, anew)
      await touchAt(tx, 'a', 2, { ...anew, isNew: false })
      expect(before?.state.at).toBe(3)
    })
    expect((await store.readSubject(user('a')))?.at).toBe(1)
    expect(await store.nextDue()).toBe(2)
  })

  it('gives up on a conflict that does not end', async () => {
    const store = await open({ random: () => 0 })
    await store.transaction((tx) => touch(tx, 'a'))
    let runs = 0
    const work = store.transaction(async (tx) => {
      runs++
      await tx.saveSubjects([{ key: user('a'), state: UNBORN, dueAt: undefined, isNew: true }])
    })
    await expect(work).rejects.toMatchObject({ code: 'database.conflict' })
    expect(runs).toBe(10)
  })

  it('does not run work again whose COMMIT failed, whatever it failed with', async () => {
    const store = await open()
    const { event: table } = tablesIn(schema)
    await sql`create function ${sql.id(schema, 'refuse')}() returns trigger language plpgsql as
      $$ begin raise exception using errcode = '40001'; end $$`.execute(host)
    await sql`create constraint trigger refuse after insert on ${table} deferrable initially deferred
      for each row execute function ${sql.id(schema, 'refuse')}()`.execute(host)
    let runs = 0
    const work = store.transaction(async (tx) => {
      runs++
      await tx.addEvents([event('m-1')])
    })
    await expect(work).rejects.toMatchObject({ code: '40001' })
    expect(runs).toBe(1)
  })

  it('survives the loss of idle and of busy connections', async () => {
    const store = await open({ pool: { application_name: 'to-be-lost' } })
    const lose = () =>
      sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'to-be-lost'`.execute(host)
    await store.transaction((tx) => touch(tx, 'a'))
    await lose()
    const work = store.transaction(async (tx) => {
      await touch(tx, 'a')
      await lose()
      await touch(tx, 'a')
    })
    await expect(work).rejects.toThrow()
    await store.transaction((tx) => touch(tx, 'a'))
    expect(await store.readSubject(user('a'))).toEqual({ ...UNBORN, at: 2 })
  })

  it('locks subjects in the order of their keys', async () => {
    const store = await open({ concurrency: 2 })
    const ids = Array.from({ length: 50 }, (_, index) => `u-${index}`)
    await store.transaction((tx) => touch(tx, ...ids))
    const { subject } = tablesIn(schema)
    const isFree = async (id: string) => {
      const { rows } = await sql`select 1 from ${subject} where id = ${id} for update skip locked`.execute(host)
      return rows.length === 1
    }
    let waiting: Promise<void> = Promise.resolve()
    await host.transaction().execute(async (trx) => {
      await sql`select from ${subject} where id = 'u-3' for update`.execute(trx)
      waiting = store.transaction((tx) => touch(tx, ...ids.toReversed()))
      await expect.poll(() => isFree('u-29')).toBe(false)
      await expect(Promise.all(['u-30', 'u-4', 'u-9'].map(isFree))).resolves.toEqual([true, true, true])
    })
    await waiting
  })

  it('passes over what was dealt with, and finds what comes in before it', async () => {
    const [store, other] = [await open(), await open()]
    const now = Date.now()
    const add = (to: Store, key: string, dueAt: number) =>
      to.transaction((tx) => tx.addDeliveries([{ ...deliveryOf(key), dueAt }]))
    const claim = async () => {
      const claimed = await store.transaction((tx) => tx.claimDeliveries(now, 10, now + 60_000))
      return claimed.map(({ key }) => key)
    }
    await add(store, 'd-1', now - 5_000)
    await expect(claim()).resolves.toEqual(['d-1'])
    await add(store, 'd-2', now - 9_000)
    await expect(claim()).resolves.toEqual(['d-2'])
    await add(other, 'd-3', now - 9_500)
    await expect.poll(claim).toEqual(['d-3'])
  })

  it('says in how long something is due, no further than a second ahead', async () => {
    const store = await open({ clock: 'engine' })
    await store.transaction((tx) => tx.addDeliveries([{ ...deliveryOf('d-1'), dueAt: 100_000 }]))
    await expect(store.dueIn(['delivery'], 100_400)).resolves.toBe(-400)
    await expect(store.dueIn(['delivery'], 99_600)).resolves.toBe(400)
    await expect(store.dueIn(['delivery'], 98_000)).resolves.toBe(Number.POSITIVE_INFINITY)
    await expect(store.dueIn(['subject', 'inbox'], 100_400)).resolves.toBe(Number.POSITIVE_INFINITY)
    await expect(store.nextDue()).resolves.toBe(100_000)
  })

  it('finds what was taken by a transaction that failed', async () => {
    const store = await open()
    const now = Date.now()
    await store.transaction((tx) => tx.addDeliveries([{ ...deliveryOf('d-1'), dueAt: now - 5_000 }]))
    const claim = (tx: StoreTransaction) => tx.claimDeliveries(now, 10, now + 60_000)
    await expect(store.transaction(claim).then(() => store.transaction(claim))).resolves.toEqual([])
    await store.transaction((tx) => tx.addDeliveries([{ ...deliveryOf('d-2'), dueAt: now - 5_000 }]))
    const failing = store.transaction(async (tx) => {
      await claim(tx)
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    await expect(store.transaction(claim)).resolves.toMatchObject([{ key: 'd-2' }])
  })

  it('rewrites rows in place as long as nothing that is indexed changes', async () => {
    const store = await open()
    const ids = Array.from({ length: 200 }, (_, index) => `u-${index}`)
    await store.transaction((tx) => touch(tx, ...ids))
    const inPlace = await host.transaction().execute(async (trx) => {
      const tx = store.join?.(trx)
      if (tx !== undefined) await touch(tx, ...ids.slice(0, 20))
      const { rows } = await sql<{ count: string }>`
        select pg_stat_get_xact_tuples_hot_updated(c.oid) as count from pg_class c
        join pg_namespace n on n.oid = relnamespace where nspname = ${schema} and relname = 'subject'
      `.execute(trx)
      return Number(rows[0]?.count)
    })
    expect(inPlace).toBe(20)
  })
})

describe('a database that linli does not know', () => {
  it('is refused, without its password', async () => {
    for (const database of ['mysql://root:secret@localhost/shop', '']) {
      const error = await openStore(database).catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: 'database.unsupported' })
      expect(String(error)).not.toContain('secret')
      expect(String(error)).toContain('a postgres:// URL')
    }
  })
})
