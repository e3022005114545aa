import type { Kysely } from 'kysely'
import { describe, inject } from 'vitest'
import type { Store } from '../src/ports/store.js'
import { memoryStore } from '../src/storage/memory/store.js'
import { openStore } from '../src/storage/open.js'
import { openPostgres } from '../src/storage/sql/postgres.js'
import { ReusedSchema, sharedPglite } from './database.js'

/**
 * Describes something once for each store there is: in memory, on PGlite, and on PostgreSQL where there is a server. `open` gives
 * an empty one whose clock is the engine's. Tests of one description come one after the other.
 */
export function describeOnEveryStore(name: string, tests: (open: () => Promise<Store>) => void): void {
  const postgresUrl = inject('postgresUrl')
  describe(`${name} (memory)`, () => tests(() => Promise.resolve(memoryStore())))
  describe(`${name} (PGlite)`, () => tests(sqlStores(sharedPglite, 1)))
  describe.skipIf(postgresUrl === undefined)(`${name} (PostgreSQL)`, () =>
    tests(sqlStores(() => Promise.resolve(openPostgres(postgresUrl ?? '', {})), 3)),
  )
}

function sqlStores(connect: () => Promise<Kysely<unknown>>, concurrency: number): () => Promise<Store> {
  let db: Promise<Kysely<unknown>> | undefined
  let schema: ReusedSchema | undefined
  return async () => {
    db ??= connect()
    schema ??= new ReusedSchema(await db)
    return openStore(await db, { schema: await schema.emptied(), clock: 'engine', concurrency })
  }
}
