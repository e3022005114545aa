import { randomBytes } from 'node:crypto'
import { createEngine, type Engine, loadPack } from '@linli/core'
import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { type PaidOrder, recordPayment, type ShopTables } from './checkout.js'

const postgresUrl = inject('postgresUrl')

describe.skipIf(postgresUrl === undefined)('an order and its event in one transaction', () => {
  let db: Kysely<ShopTables>
  let engine: Engine
  let schema: string

  beforeEach(async () => {
    schema = `checkout_${randomBytes(6).toString('hex')}`
    const options = `-c search_path=${schema}`
    db = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: postgresUrl, options }) }) })
    await sql`create schema ${sql.id(schema)}`.execute(db)
    await sql`create table shop_order (id text primary key, customer text not null, total int not null)`.execute(db)
    engine = await createEngine({
      rules: await loadPack(`${import.meta.dirname}/../quickstart/rules`),
      channels: [{ name: 'console', repeat: { kind: 'none' }, send: async () => ({ status: 'accepted' }) }],
      database: db,
      schema: `${schema}_linli`,
    })
  })

  afterEach(async () => {
    await engine.close()
    await db.destroy()
  })

  const order = (id: string): PaidOrder => ({
    id,
    customer: 'u1',
    total: 30,
    items: [{ category: 'organic_vegetable', quantity: 1 }],
  })
  const kept = async () => (await db.selectFrom('shop_order').select('id').orderBy('id').execute()).map(({ id }) => id)
  const tags = async () => (await engine.subject('user', 'u1'))?.tags

  it('keeps both', async () => {
    for (const id of ['o1', 'o2', 'o3']) await recordPayment(db, engine, order(id))
    expect(await kept()).toEqual(['o1', 'o2', 'o3'])
    expect(await tags()).toEqual(['organic-veg-never-fruit'])
  })

  it('keeps neither when the event is refused', async () => {
    await expect(recordPayment(db, engine, { ...order('o1'), total: Number.NaN })).rejects.toThrow()
    await expect(recordPayment(db, engine, { ...order('o1'), customer: '' })).rejects.toThrow('linli refused the event')
    expect(await kept()).toEqual([])
    expect(await tags()).toBeUndefined()
  })

  it('keeps neither when the transaction fails after the event', async () => {
    const work = db.transaction().execute(async (trx) => {
      await engine.ingest([{ event: 'order_paid', messageId: 'm1', userId: 'u1' }], { trx })
      throw new Error('the payment was called off')
    })
    await expect(work).rejects.toThrow('called off')
    expect(await engine.subject('user', 'u1')).toBeUndefined()
    expect(await engine.ingest([{ event: 'order_paid', messageId: 'm1', userId: 'u1' }])).toMatchObject({ accepted: 1 })
  })
})
