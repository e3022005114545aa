import { EngineError } from '../errors.js'

/**
 * Another transaction was there first. `Store.transaction` runs the work again; a host that handed in its own
 * transaction has to do so itself.
 */
export function conflict(found: string, facts: Readonly<Record<string, unknown>>): EngineError {
  return new EngineError('database.conflict', `${found} Run the whole transaction again.`, facts)
}

export function isConflict(error: unknown): boolean {
  return error instanceof EngineError && error.code === 'database.conflict'
}
