import type { SubjectKey } from '../domain/subject.js'
import type { LockedSubject, StoreTransaction } from '../ports/store.js'

/**
 * Holds rows of users, and makes those that are missing, which are given as `isNew`: a row that is not there cannot be held,
 * and somebody else might bring it. Whoever is done with it removes what is to be no row.
 */
export async function holdUsers(tx: StoreTransaction, keys: readonly SubjectKey[]): Promise<readonly LockedSubject[]> {
  const rows = await tx.lockSubjects(keys)
  const missing = rows.filter(({ isNew }) => isNew)
  await tx.saveSubjects(missing.map(({ key, state }) => ({ key, state, dueAt: undefined, isNew: true })))
  return rows
}
