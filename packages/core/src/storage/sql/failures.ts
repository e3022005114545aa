/** PostgreSQL's code for what went wrong (SQLSTATE), if it said so itself. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('severity' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** What PostgreSQL could not read, it quotes at the end of its message: `invalid input syntax for type bigint: "…"`. */
const DATA_EXCEPTION = '22'
const SERIALIZATION_FAILURE = '40001'
const DEADLOCK_DETECTED = '40P01'
const LOCK_NOT_AVAILABLE = '55P03'

/** Whether the same work may well succeed when it is done again. */
export function isTransient(error: unknown): boolean {
  const state = sqlState(error)
  return state === SERIALIZATION_FAILURE || state === DEADLOCK_DETECTED || state === LOCK_NOT_AVAILABLE
}

function cutQuotation(error: Error): void {
  const { message } = error
  const start = message.indexOf(': "')
  if (start < 0) return
  error.message = `${message.slice(0, start)}.`
  if (error.stack !== undefined) error.stack = error.stack.replace(message, () => error.message)
}

/** Takes out of a database error what quotes rows: people's data must not reach logs. */
export function redact(error: unknown): unknown {
  if (error instanceof Error) {
    for (const field of ['detail', 'where', 'internalQuery', 'params', 'queryOptions'])
      if (field in error) Reflect.deleteProperty(error, field)
    if (sqlState(error)?.startsWith(DATA_EXCEPTION)) cutQuotation(error)
  }
  return error
}
