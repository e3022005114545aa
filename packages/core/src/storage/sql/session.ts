import type { Kysely, QueryResult, RawBuilder } from 'kysely'
import type { Marks } from './due-marks.js'
import { redact } from './failures.js'
import type { Tables } from './tables.js'

/** Where statements go: one transaction, or the database. */
export class Session {
  readonly tables: Tables
  readonly marks: Marks
  readonly #db: Kysely<unknown>
  readonly #ends: { readonly kept?: () => void; readonly lost?: () => void }[] = []
  #failure: { readonly error: unknown } | undefined

  constructor(db: Kysely<unknown>, tables: Tables, marks: Marks) {
    this.#db = db
    this.tables = tables
    this.marks = marks
  }

  async rows<R>(query: RawBuilder<R>): Promise<readonly R[]> {
    return (await this.#execute(query)).rows
  }

  /** Runs a statement and tells how many rows it wrote. */
  async write(query: RawBuilder<unknown>): Promise<number> {
    return Number((await this.#execute(query)).numAffectedRows ?? 0)
  }

  /** What is to follow once the transaction has been kept, or lost. */
  atEnd(end: { readonly kept?: () => void; readonly lost?: () => void }): void {
    this.#ends.push(end)
  }

  /** The transaction has been kept, or lost; or nobody knows. */
  ended(how: 'kept' | 'lost'): void {
    for (const end of this.#ends) end[how]?.()
  }

  /**
   * Throws again what a statement threw. PostgreSQL answers a COMMIT after a failure with a quiet rollback, so work
   * that caught the error must not be told that it was kept.
   */
  assertSound(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  async #execute<R>(query: RawBuilder<R>): Promise<QueryResult<R>> {
    try {
      return await query.execute(this.#db)
    } catch (error) {
      this.#failure ??= { error: redact(error) }
      throw error
    }
  }
}
