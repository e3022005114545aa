import type { Decision } from '../domain/decision.js'
import { type SubjectKey, subjectName } from '../domain/subject.js'
import type { LockedSubject, StoredEvent, StoreTransaction, Tombstone } from '../ports/store.js'
import { holdUsers } from '../privacy/hold.js'
import { erasedAmong, erasedName } from '../privacy/tombstones.js'
import { conflict } from '../storage/conflict.js'
import type { Resolved } from './identity.js'
import { anonymousUser, identifierUser } from './provisional.js'

/** Tombstones by the name that somebody had. */
export type ErasedNames = ReadonlyMap<string, Tombstone>

/**
 * Names of a batch by which people may have been erased: those of whom nothing is known. Whoever has a row, and whoever a name
 * leads to, was not.
 */
export function doubtful(rows: readonly LockedSubject[], { unknown }: Resolved): readonly string[] {
  return [...rows.filter(({ isNew }) => isNew).map(({ key }) => key.id), ...unknown.keys()]
}

/**
 * Asks a last time, when all is written: an erasure that was committed meanwhile has not seen it, one that was not is waiting
 * for the rows that were made.
 */
export async function confirmNotErased(tx: StoreTransaction, names: readonly string[]): Promise<void> {
  const erased = await erasedAmong(tx, names)
  if (erased.size > 0) throw conflict('Somebody was erased by another transaction.', { people: erased.size })
}

/** The tombstone of whoever an event is of, or says that somebody is. */
export function tombstoneOf({ type, userId, previousId }: StoredEvent, erased: ErasedNames): Tombstone | undefined {
  const previous = type === 'alias' && previousId !== undefined ? [previousId, anonymousUser(previousId)] : []
  return [userId, ...previous].map((name) => erased.get(name)).find((tombstone) => tombstone !== undefined)
}

/** An event without names of people who were erased. */
export function withoutErased(event: StoredEvent, erased: ErasedNames): StoredEvent {
  const { anonymousId, identifiers, ...rest } = event
  const known = identifiers?.filter((identifier) => !erased.has(identifierUser(identifier))) ?? []
  return {
    ...rest,
    ...(anonymousId !== undefined && !erased.has(anonymousUser(anonymousId)) && { anonymousId }),
    ...(known.length > 0 && { identifiers: known }),
  }
}

/** What is said of an event that was refused: nothing of whom it is. */
export function refusalOf(tombstone: Tombstone, at: number): Decision {
  return { at, subject: erasedName(tombstone), decision: 'event.rejected', reason: 'person.erased' }
}

/**
 * Decisions about users of whom there may be no row, without those that were erased. Rows that are missing are there until it
 * is known: an erasure under way waits for them, or is waited for.
 */
export async function withoutErasedPeople(
  tx: StoreTransaction,
  decisions: readonly Decision[],
): Promise<readonly Decision[]> {
  const keys = new Map(
    decisions.flatMap(({ subject }) => (subject === NOBODY ? [] : [[subject, userOf(subject)] as const])),
  )
  const rows = await holdUsers(tx, [...keys.values()])
  const ids = [...keys.values()].map(({ id }) => id)
  const erased = await erasedAmong(tx, ids)
  for (const { key, isNew } of rows) if (isNew) await tx.removeSubject(key)
  if (erased.size === 0) return decisions
  return decisions.map((decision) => {
    const tombstone = erased.get(userOf(decision.subject).id)
    return tombstone === undefined ? decision : refusalOf(tombstone, decision.at)
  })
}

/** Of whom an event is that does not say so. */
export const NOBODY = 'user:?'

function userOf(subject: string): SubjectKey {
  return { kind: 'user', id: subject.slice(subjectName({ kind: 'user', id: '' }).length) }
}
