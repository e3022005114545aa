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
  // A transaction begins together with its first statement: that is a round trip less.
  let begin: string | undefined

  const send = async (text: string, parameters: readonly unknown[]) => {
    try {
      const found: pg.QueryResult | readonly pg.QueryResult[] = await client.query(text, [...parameters])
      return Array.isArray(found) ? (found.at(-1) as pg.QueryResult) : (found as pg.QueryResult)
    } catch (error) {
      if (error instanceof Error && leavesDoubt(text, error)) broken ??= error
      throw error
    }
  }
  const query = async (text: string, parameters: readonly unknown[]) => {
    if (broken !== undefined) {
      // The server rolls back what the connection left open when it is closed.
      if (text === 'rollback') return NOTHING
      throw broken
    }
    const first = begin
    begin = BEGINS.test(text) ? text : undefined
    if (begin !== undefined || (first !== undefined && ENDS.test(text))) return NOTHING
    await beforeStatement?.()
    if (first === undefined) return send(text, parameters)
    // Several statements go at once only where none has parameters.
    if (parameters.length === 0) return send(`${first}; ${text}`, [])
    await send(first, [])
    return send(text, parameters)
  }
  const release = () => {
    client.off('error', onError)
    client.release(discardsBroken ? broken : undefined)
  }
  // The overload for cursors is never used.
  return { query: query as unknown as PostgresPoolClient['query'], release }
}

const BEGINS = /^(begin|start transaction)\b/
const ENDS = /^(commit|rollback)$/
/** What a statement gives that was not sent. */
const NOTHING = { command: '', rowCount: 0, rows: [] }

function leavesDoubt(text: string, error: Error): boolean {
  if (text === 'commit' || text === 'rollback') return true
  return !(error instanceof pg.DatabaseError) || error.severity === 'FATAL' || error.severity === 'PANIC'
}
