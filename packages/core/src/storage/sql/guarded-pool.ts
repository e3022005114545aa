import type { PostgresPool, PostgresPoolClient } from 'kysely'
import pg from 'pg'

export interface GuardOptions {
  /** Called before each statement. */
  readonly beforeStatement?: () => Promise<void> | undefined
  /** Whether a client that can no longer be trusted is closed instead of going back to the pool. */
  readonly discardsBroken: boolean
}

/**
 * A pool for kysely that trusts no client after a failure it cannot judge: a statement without an answer, a lost
 * connection, a COMMIT or ROLLBACK that failed. kysely itself would hand such a client to the next transaction.
 */
export function guardedPool(pool: pg.Pool, options: GuardOptions): PostgresPool {
  // The pool listens to clients that are idle, and a guard to one in use. A connection that is lost between the two would end
  // the host's process: what the server says last may come together with its word that the connection is ready.
  pool.on('connect', (client) => client.on('error', () => undefined))
  return {
    connect: async () => guard(await pool.connect(), options),
    end: () => pool.end(),
  }
}

function guard(client: pg.PoolClient, { beforeStatement, discardsBroken }: GuardOptions): PostgresPoolClient {
  let broken: Error | undefined
  // Without a listener, a connection lost between two statements would end the host's process.
  const onError = (error: Error) => {
    broken ??= error
  }
  client.on('error', onError)

  const query = async (text: string, parameters: readonly unknown[]) => {
    if (broken !== undefined) {
      // The server rolls back what the connection left open when it is closed.
      if (text === 'rollback') return { command: 'ROLLBACK', rowCount: 0, rows: [] }
      throw broken
    }
    await beforeStatement?.()
    try {
      return await client.query(text, [...parameters])
    } catch (error) {
      if (error instanceof Error && leavesDoubt(text, error)) broken ??= error
      throw error
    }
  }
  const release = () => {
    client.off('error', onError)
    client.release(discardsBroken ? broken : undefined)
  }
  // The overload for cursors is never used.
  return { query: query as unknown as PostgresPoolClient['query'], release }
}

function leavesDoubt(text: string, error: Error): boolean {
  if (text === 'commit' || text === 'rollback') return true
  return !(error instanceof pg.DatabaseError) || error.severity === 'FATAL' || error.severity === 'PANIC'
}
