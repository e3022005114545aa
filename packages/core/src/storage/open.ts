import path from 'node:path'
import type { Kysely } from 'kysely'
import type pg from 'pg'
import { EngineError } from '../errors.js'
import type { Store } from '../ports/store.js'
import { lockFolder } from './folder-lock.js'
import { SqlStore, type SqlStoreOptions } from './sql/store.js'
import type { StoreClock } from './sql/transaction.js'

export interface OpenStoreOptions {
  /** The schema of linli's tables. Default `linli`. */
  readonly schema?: string
  /** Whose clock decides. Default: the server's on PostgreSQL (and with a kysely of yours), the engine's on PGlite. */
  readonly clock?: StoreClock
  /** For a URL: settings of the `pg.Pool`, over linli's own. */
  readonly pool?: pg.PoolConfig
  /** How many transactions to have under way at once. Default 3: one more than two keeps both sides busy; on PGlite it is 1 whatever is said. */
  readonly concurrency?: number
  /** A number from 0 up to 1. Default `Math.random`. */
  readonly random?: () => number
}

/**
 * Opens the store in a database:
 * - `memory`: PGlite in memory, gone when it is closed;
 * - a path: PGlite in that folder, which one process at a time may use;
 * - `postgres://…`: a PostgreSQL server;
 * - a Kysely instance of the host's, on PostgreSQL: used as it is, and left open on `close`.
 *
 * The tables are not touched: see `Store.migrate`.
 *
 * @throws EngineError `database.locked` when the folder is in use, `database.unsupported` for another kind of URL,
 * `database.schema` for a schema that cannot be.
 */
export async function openStore(database: string | Kysely<unknown>, options: OpenStoreOptions = {}): Promise<Store> {
  if (typeof database !== 'string')
    return sqlStore(database, { ...options, takesSeveral: false }, 'database', async () => undefined)
  if (/^postgres(ql)?:\/\//.test(database)) {
    const { openPostgres } = await import('./sql/postgres.js')
    const db = openPostgres(database, options.pool ?? {})
    return sqlStore(db, options, 'database', () => db.destroy())
  }
  if (database === '' || /^[a-z][a-z\d+.-]*:\/\//i.test(database)) throw unsupported(database)
  return database === 'memory' ? openMemory(options) : openFolder(database, options)
}

function unsupported(database: string): EngineError {
  // Of a URL, no more than its scheme: the rest may hold a password.
  const found = database === '' ? 'empty' : `a ${database.slice(0, database.indexOf(':'))} URL`
  return new EngineError(
    'database.unsupported',
    `The database is ${found}. It may be "memory", the path of a folder, a postgres:// URL or a Kysely instance.`,
  )
}

async function openMemory(options: OpenStoreOptions): Promise<Store> {
  const { openPglite } = await import('./sql/pglite.js')
  const { db, close } = await openPglite(undefined)
  return sqlStore(db, { ...options, concurrency: 1 }, 'engine', close)
}

async function openFolder(folder: string, options: OpenStoreOptions): Promise<Store> {
  const release = lockFolder(folder)
  try {
    const { openPglite } = await import('./sql/pglite.js')
    const { db, close } = await openPglite(path.join(folder, 'postgres'))
    return sqlStore(db, { ...options, concurrency: 1 }, 'engine', () => close().finally(release))
  } catch (error) {
    release()
    throw error
  }
}

/** PostgreSQL cuts longer names off without a word, so that two engines would work in one schema. */
const LONGEST_NAME_BYTES = 63

function schemaName(name: string): string {
  const bytes = Buffer.byteLength(name)
  const isAllowed = bytes > 0 && bytes <= LONGEST_NAME_BYTES && !name.includes('\0') && !/^pg_/i.test(name)
  if (isAllowed && name !== 'information_schema') return name
  const message = `The schema ${JSON.stringify(name.slice(0, 100))} (${bytes} bytes) cannot be used. Its name has 1 to ${LONGEST_NAME_BYTES} bytes and is none of PostgreSQL's own (pg_…).`
  throw new EngineError('database.schema', message, { bytes })
}

function sqlStore(
  db: Kysely<unknown>,
  options: OpenStoreOptions & Partial<Pick<SqlStoreOptions, 'takesSeveral'>>,
  clock: StoreClock,
  close: SqlStoreOptions['close'],
): Store {
  let closing: Promise<void> | undefined
  return new SqlStore(db, {
    schema: schemaName(options.schema ?? 'linli'),
    clock: options.clock ?? clock,
    concurrency: options.concurrency ?? 3,
    takesSeveral: options.takesSeveral ?? true,
    random: options.random ?? Math.random,
    close: () => {
      closing ??= close()
      return closing
    },
  })
}
