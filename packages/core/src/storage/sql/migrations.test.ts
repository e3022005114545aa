import { definePack } from '@linli/rules'
import { type Kysely, sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../../../testing/database.js'
import { journey, send, template, wait } from '../../../testing/rules.js'
import { identify, NOON, track } from '../../../testing/shop.js'
import type { Engine } from '../../door.js'
import { createEngine } from '../../engine.js'
import { type VirtualClock, virtualClock } from '../../queue/clocks.js'
import { type MemoryChannel, memoryChannel } from '../../testing/memory-channel.js'
import { openPostgres } from './postgres.js'

const postgresUrl = inject('postgresUrl')
if (postgresUrl === undefined) console.warn('SKIPPED: migrations on PostgreSQL; there is no database.')

const RULES = definePack([
  template('hello'),
  { kind: 'policy', id: 'noon', quietHours: { from: '11:00', to: '13:00' } },
  journey('remind', [wait('later', '1d')], { key: 'order', reentry: 'always' }),
  journey('offer', [send('push')]),
  journey('greet', [send('hello', { class: 'service' })], { entry: { on: 'event', event: 'joined' } }),
])

/** What tables were before each of these migrations, the latest first. A new one goes to the front. */
const BEFORE: Readonly<Record<string, readonly string[]>> = {
  '011-tombstones': ['drop table linli.tombstone, linli.tombstone_key'],
  '010-delivery-channels': [
    'drop index linli.delivery_due',
    'alter table linli.delivery drop column channel',
    'create index delivery_due on linli.delivery (due_at, key) where due_at is not null',
  ],
  '009-runs': ['drop index linli.subject_runs', 'alter table linli.subject drop column runs'],
  '008-halts': [
    'drop index linli.delivery_paused',
    'alter table linli.version drop column halts, drop column operation',
  ],
  '007-order-of-what-is-due': [
    'drop index linli.subject_due, linli.delivery_due',
    'create index subject_due on linli.subject (due_at) where due_at is not null',
    'create index delivery_due on linli.delivery (due_at) where due_at is not null',
  ],
  '006-fates': ['alter table linli.version drop column fates'],
}

let database: FreshDatabase
let db: Kysely<unknown>
let clock: VirtualClock
let sms: MemoryChannel

/** Makes tables, with the rows in them, what an older release had. */
async function undoMigrations(): Promise<void> {
  for (const [name, statements] of Object.entries(BEFORE)) {
    for (const statement of statements) await sql.raw(statement).execute(db)
    await sql`delete from linli.migration where name = ${name}`.execute(db)
  }
}

/** Columns, indexes and rows that migrations change. */
async function tables(): Promise<unknown> {
  const columns = sql`select table_name, column_name, data_type, column_default, is_nullable
    from information_schema.columns where table_schema = 'linli' order by 1, 2`
  const indexes = sql`select indexname, indexdef from pg_indexes where schemaname = 'linli' order by 1`
  const runs = sql`select kind, id, (select array_agg(name order by name) from unnest(runs) as name) as runs
    from linli.subject order by kind, id`
  const channels = sql`select key, channel from linli.delivery order by key`
  const versions = sql`select number, fates, halts, operation from linli.version order by number`
  const found = [columns, indexes, runs, channels, versions].map(async (one) => (await one.execute(db)).rows)
  return Promise.all(found)
}

function start(): Promise<Engine> {
  sms = memoryChannel({ name: 'sms' })
  return createEngine({ rules: RULES, database: database.address, clock, channels: [sms] })
}

describe.skipIf(postgresUrl === undefined)('rows of an older release', () => {
  beforeEach(async () => {
    database = await freshDatabase(postgresUrl)
    db = openPostgres(database.address, {})
    clock = virtualClock(NOON)
    const engine = await start()
    await engine.ingest([
      track('cart', 'wang', { order: 'o-1' }),
      track('cart', 'wang', { order: 'o-2' }),
      track('cart', 'li', { order: 'o-3' }),
      track('joined', 'zhao'),
      // Says "runs", and has none.
      identify('sun', { treadmill: { runs: [{ journey: 'remind', id: 'r' }] }, note: '"runs":[' }),
    ])
    await engine.settle()
    await engine.close()
  })

  afterEach(async () => {
    await db.destroy()
    await database.drop()
  })

  it('are as if they had been written by this one', async () => {
    const before = await tables()

    await undoMigrations()
    expect(await tables().catch((error: Error) => error.message)).toMatch(/column "\w+" does not exist/)
    await (await start()).close()

    expect(await tables()).toEqual(before)
  })

  it('are found by who asks for runs', async () => {
    await undoMigrations()
    const engine = await start()

    const { runs } = await engine.runs({ journey: 'remind' })
    expect(runs.map(({ subject: [, id], key, step }) => [id, key, step]).sort()).toEqual([
      ['li', 'o-3', 'later'],
      ['wang', 'o-1', 'later'],
      ['wang', 'o-2', 'later'],
    ])
    await engine.cancel(runs.find(({ key }) => key === 'o-1')?.run ?? '')
    expect((await engine.runs({ journey: 'remind' })).runs.map(({ key }) => key).sort()).toEqual(['o-2', 'o-3'])
    expect((await engine.runs({ journey: 'greet' })).runs).toEqual([])
    await engine.close()
  })

  it('go on, and can be paused', async () => {
    await undoMigrations()
    const engine = await start()
    expect(await engine.halts()).toEqual({ inForce: [], calls: [] })
    await engine.pause({ journey: 'offer' })

    clock.moveTo('2026-03-01T13:00:00+08:00')
    await engine.settle()
    expect(sms.sent).toEqual([])
    await engine.resume({ journey: 'offer' })
    await engine.settle()

    expect(sms.sent.map(({ to, source }) => [to.id, source.journey]).sort()).toEqual([
      ['li', 'offer'],
      ['wang', 'offer'],
    ])
    await engine.close()
  })
})
