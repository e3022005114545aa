import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { guardedPool } from './guarded-pool.js'

const LONGEST_BURST_MS = 8

export interface OpenPglite {
  readonly db: Kysely<unknown>
  close(): Promise<void>
}

/**
 * PostgreSQL inside this process, in memory or in a folder. It is a single session: the pool of one connection is what
 * keeps transactions apart, and nothing may reach the database past it.
 */
export async function openPglite(folder: string | undefined): Promise<OpenPglite> {
  // Only those who use it load it.
  const [{ PGlite }, { createPgConfig }] = await Promise.all([
    import('@electric-sql/pglite'),
    import('@electric-sql/pglite/node-postgres'),
  ])
  const pglite = await PGlite.create(folder ?? 'memory://')
  const config = createPgConfig(pglite) as unknown as pg.PoolConfig
  const pool = new pg.Pool({ ...config, max: 1, idleTimeoutMillis: 0 })
  pool.on('error', () => undefined)
  const db = new Kysely<unknown>({
    dialect: new PostgresDialect({
      // Closing the client would leave its transaction open in the one session that there is.
      pool: guardedPool(pool, { discardsBroken: false, beforeStatement: yieldAfterBursts() }),
    }),
  })
  return {
    db,
    close: async () => {
      await db.destroy()
      await pglite.close()
    },
  }
}

// Statements are computed on this very thread; without a breath between them, nothing else in the process gets a turn.
function yieldAfterBursts(): () => Promise<void> | undefined {
  let burstBegan = performance.now()
  return () => {
    if (performance.now() - burstBegan < LONGEST_BURST_MS) return undefined
    return new Promise((resolve) => {
      setImmediate(() => {
        burstBegan = performance.now()
        resolve()
      })
    })
  }
}
