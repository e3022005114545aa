import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, inject, it } from 'vitest'
import { storeContract } from '../testing/store-contract.js'
import { memoryStore } from './memory/store.js'
import { openStore } from './open.js'
import { type OpenPglite, openPglite } from './sql/pglite.js'

const postgresUrl = inject('postgresUrl')
const freshSchema = () => `contract_${randomBytes(6).toString('hex')}`

describe('the store in memory keeps the contract', () => {
  for (const { title, run } of storeContract({ create: () => memoryStore() })) it(title, run)
})

describe('the store on PGlite keeps the contract', () => {
  let pglite: OpenPglite
  beforeAll(async () => {
    pglite = await openPglite(undefined)
  })
  afterAll(() => pglite.close())

  const create = () => openStore(pglite.db, { schema: freshSchema(), clock: 'engine', concurrency: 1 })
  for (const { title, run } of storeContract({ create })) it(title, run)
})

describe.skipIf(postgresUrl === undefined)('the store on PostgreSQL keeps the contract', () => {
  const create = () => openStore(postgresUrl ?? '', { schema: freshSchema(), concurrency: 4 })
  for (const { title, run } of storeContract({ create })) it(title, run)
})
