import { definePack } from '@linli/rules'
import { type Kysely, Migrator, sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../../../testing/database.js'
import { journey, send, template, wait } from '../../../testing/rules.js'
import { identify, NOON, track } from '../../../testing/shop.js'
import type { Engine } from '../../door.js'
import { createEngine } from '../../engine.js'
import { type VirtualClock, virtualClock } from '../../queue/clocks.js'
import { type MemoryChannel, memoryChannel } from '../../testing/memory-channel.js'
import { migrations } from './migrations.js'
import { openPostgres } from './postgres.js'
import { tablesIn } from './tables.js'

const postgresUrl = inject('postgresUrl')
if (postgresUrl === undefined) console.warn('SKIPPED: migrations on PostgreSQL; there is no database.')

const RULES = definePack([
  template('hello'),
  { kind: 'policy', id: 'noon', quietHours: { from: '11:00', to: '13:00' } },
  journey('remind', [wait('later', '1d')], { key: 'order', reentry: 'always' }),
  journey('offer', [send('push')]),
  journey('greet', [send('hello', { class: 'service' })], { entry: { on: 'event', event: 'joined' } }),
])

/** The last migration of the older release. Those after it fill in what rows of then lack. */
const THEN = '005-retention'

let database: FreshDatabase
let db: Kysely<unknown>
let clock: VirtualClock
let sms: MemoryChannel

/** Makes the tables those of the older release, with as much of each row as it would have written. */
async function goBack(): Promise<void> {
  await sql`alter schema linli rename to now`.execute(db)
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => migrations(tablesIn('linli')) },
    migrationTableSchema: 'linli',
    migrationTableName: 'migration',
    migrationLockTableName: 'migration_lock',
  })
  expect((await migrator.migrateTo(THEN)).error).toBeUndefined()
  for (const { name, columns } of await tablesOfThen()) {
    const list = sql.join(columns.map((column) => sql.ref(column)))
    const order = name === 'decision' ? sql`order by id` : sql``
    await sql`insert into ${sql.id('linli', name)} (${list}) select ${list} from ${sql.id('now', name)} ${order}`.execute(
      db,
    )
  }
}

/** With their columns, but for numbers that the database gives. */
async function tablesOfThen(): Promise<readonly { name: string; columns: string[] }[]> {
  const { rows } = await sql<{ name: string; columns: string[] }>`
    select table_name as name, array_agg(column_name::text) as columns
    from information_schema.columns
    where table_schema = 'linli' and table_name not like 'migration%' and is_identity = 'NO' group by 1 order by 1
  `.execute(db)
  return rows
}

/** Columns and indexes of all tables in a schema, and what the later migrations fill in. */
async function tables(schema: string): Promise<unknown> {
  const columns = sql`select table_name, column_name, data_type, column_default, is_nullable
    from information_schema.columns where table_schema = ${schema} order by 1, 2`
  const indexes = sql`select indexname, replace(indexdef, ${`${schema}.`}, '') as indexdef
    from pg_indexes where schemaname = ${schema} order by 1`
  const runs = sql`select kind, id, (select array_agg(name order by name) from unnest(runs) as name) as runs
    from ${sql.id(schema, 'subject')} order by kind, id`
  const channels = sql`select key, channel from ${sql.id(schema, 'delivery')} order by key`
  const versions = sql`select number, fates, halts, operation from ${sql.id(schema, 'version')} order by number`
  const keys = sql`select kind, id from ${sql.id(schema, 'subject_key')} order by kind, id`
  const decisions = sql`select subject, at from ${sql.id(schema, 'decision')} order by id`
  const found = [columns, indexes, runs, channels, versions, keys, decisions].map(
    async (one) => (await one.execute(db)).rows,
  )
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
    await goBack()
    await expect(tables('linli')).rejects.toThrow('does not exist')
    await (await start()).close()

    expect(await tables('linli')).toEqual(await tables('now'))
  })

  it('are found by who asks for runs', async () => {
    await goBack()
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
    await goBack()
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
