import type { Kysely } from 'kysely'
import { afterAll, beforeAll, describe, inject, it } from 'vitest'
import { ReusedSchema, sharedPglite } from '../../testing/database.js'
import { storeContract } from '../testing/store-contract.js'
import { memoryStore } from './memory/store.js'
import { openStore } from './open.js'
import { openPostgres } from './sql/postgres.js'

const postgresUrl = inject('postgresUrl')

describe('the store in memory keeps the contract', () => {
  for (const { title, run } of storeContract({ create: () => memoryStore() })) it(title, run)
})

describe('the store on PGlite keeps the contract', () => {
  let db: Kysely<unknown>
  let schema: ReusedSchema
  beforeAll(async () => {
    db = await sharedPglite()
    schema = new ReusedSchema(db)
  })

  const create = async () => openStore(db, { schema: await schema.emptied(), clock: 'engine', concurrency: 1 })
  for (const { title, run } of storeContract({ create })) it(title, run)
})

describe.skipIf(postgresUrl === undefined)('the store on PostgreSQL keeps the contract', () => {
  const db = openPostgres(postgresUrl ?? '', {})
  const schema = new ReusedSchema(db)
  afterAll(() => db.destroy())

  const create = async () => openStore(postgresUrl ?? '', { schema: await schema.emptied(), concurrency: 4 })
  for (const { title, run } of storeContract({ create })) it(title, run)
})
