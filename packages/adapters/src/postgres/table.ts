import { thrownCode } from '../http/errors.js'

/** What is used of a pool of `pg`. */
export interface TablePool<Result> {
  query(text: string, values?: readonly unknown[]): Promise<Result>
}

const TABLE = /^[a-z_][a-z0-9_]{0,57}(\.[a-z_][a-z0-9_]{0,57})?$/
/** PostgreSQL's `unique_violation`, `duplicate_object` and `duplicate_table`: which one depends on how far the other process is. */
const MADE_ALREADY: ReadonlySet<unknown> = new Set(['23505', '42710', '42P07'])

/**
 * Queries of a table that is made before the first of them, where there is none. Names have 58 letters at most: with `_seen` or the
 * like after it, one is still a name of PostgreSQL's.
 *
 * @throws {RangeError} `table` is no name of a table in lower case, with or without a schema.
 */
export function tableIn<Result>(
  pool: TablePool<Result>,
  table: string,
  create: string,
): (text: string, values: readonly unknown[]) => Promise<Result> {
  if (!TABLE.test(table)) throw new RangeError('table should be a name in lower case, such as shop.subscribe_consent.')
  let made: Promise<unknown> | undefined
  return async (text, values) => {
    made ??= pool.query(create).catch((error: unknown) => {
      made = undefined
      // Another process has made it at the same moment.
      if (!MADE_ALREADY.has(thrownCode(error))) throw error
    })
    await made
    return pool.query(text, values)
  }
}
