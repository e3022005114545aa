import { CompiledQuery, type Kysely, type QueryResult, type RawBuilder, sql } from 'kysely'
import type { Marks } from './due-marks.js'
import { redact } from './failures.js'
import type { Tables } from './tables.js'

/** The database's clock, in milliseconds: it goes on within a transaction. */
export const DATABASE_NOW = sql`floor(extract(epoch from clock_timestamp()) * 1000)::int8`

/** What all statements of one store have in common. */
export interface SessionFacts {
  readonly tables: Tables
  readonly marks: Marks
  /** Whether its driver takes several statements at once, and gives what the last one found. */
  readonly takesSeveral: boolean
}

/** Where statements go: one transaction, or the database. */
export class Session {
  readonly tables: Tables
  readonly marks: Marks
  /** Of each subject's row that it has locked: its revision then. */
  readonly revisions = new Map<string, number>()
  readonly #db: Kysely<unknown>
  readonly #takesSeveral: boolean
  #statements = 0
  /** What the database's clock said, and by which statement. */
  #told: { readonly now: number; readonly statement: number } | undefined
  readonly #ends: { readonly kept?: () => void; readonly lost?: () => void }[] = []
  #failure: { readonly error: unknown } | undefined

  constructor(db: Kysely<unknown>, { tables, marks, takesSeveral }: SessionFacts) {
    this.#db = db
    this.tables = tables
    this.marks = marks
    this.#takesSeveral = takesSeveral
  }

  async rows<R>(query: RawBuilder<R>): Promise<readonly R[]> {
    return (await this.#execute(query)).rows
  }

  /** Runs two statements that have no parameters, the second by what is there once the first is done, and gives its rows. */
  async rowsAfter<R>(first: RawBuilder<unknown>, second: RawBuilder<R>): Promise<readonly R[]> {
    if (!this.#takesSeveral) {
      await this.#execute(first)
      return this.rows(second)
    }
    const text = [first, second].map((query) => query.compile(this.#db).sql).join('; ')
    return (await this.#try(() => this.#db.executeQuery<R>(CompiledQuery.raw(text)))).rows
  }

  /** Runs a statement and tells how many rows it wrote. */
  async write(query: RawBuilder<unknown>): Promise<number> {
    return Number((await this.#execute(query)).numAffectedRows ?? 0)
  }

  /** Takes note of what the database's clock said at the end of the last statement. */
  tell(now: number): number {
    this.#told = { now, statement: this.#statements }
    return now
  }

  /** What the database's clock said last. */
  get lastTold(): number | undefined {
    return this.#told?.now
  }

  /** What it says now: undefined where there was a statement since it was told. */
  get now(): number | undefined {
    return this.#told?.statement === this.#statements ? this.#told.now : undefined
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

  #execute<R>(query: RawBuilder<R>): Promise<QueryResult<R>> {
    return this.#try(() => query.execute(this.#db))
  }

  async #try<R>(run: () => Promise<QueryResult<R>>): Promise<QueryResult<R>> {
    this.#statements += 1
    try {
      return await run()
    } catch (error) {
      this.#failure ??= { error: redact(error) }
      throw error
    }
  }
}
