import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { guardedPool } from './guarded-pool.js'

/**
 * No wait is without an end: a server that vanished without a word is noticed, and a transaction that this process
 * forgot does not hold its locks for ever. `query_timeout` is the longest, so that the server gives up first and says
 * why.
 */
export const POOL_DEFAULTS = {
  max: 10,
  connectionTimeoutMillis: 10_000,
  statement_timeout: 30_000,
  query_timeout: 35_000,
  lock_timeout: 20_000,
  idle_in_transaction_session_timeout: 30_000,
  keepAlive: true,
  application_name: 'linli',
} satisfies pg.PoolConfig

/** A pool of connections to a PostgreSQL server. */
export function openPostgres(url: string, overrides: pg.PoolConfig): Kysely<unknown> {
  const pool = new pg.Pool({ ...POOL_DEFAULTS, ...overrides, connectionString: url })
  // An idle connection that is lost concerns nobody: the pool opens another. Unheard, it would end the process.
  pool.on('error', () => undefined)
  return new Kysely<unknown>({
    dialect: new PostgresDialect({ pool: guardedPool(pool, { discardsBroken: true }) }),
  })
}
