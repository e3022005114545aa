import type { SubjectKey } from '../domain/subject.js'
import type { LockedSubject, StoredEvent, StoreTransaction } from '../ports/store.js'

/** A subject and all that turned out to be it: what is written under any of these keys is its own. */
export function keysOf({ key, state }: Pick<LockedSubject, 'key' | 'state'>): readonly SubjectKey[] {
  return [key, ...state.also.map((id) => ({ kind: key.kind, id }))]
}

/** The log's events of some users under all of their ids, each with the id that its user has now. */
export async function eventsOfPeople(
  tx: StoreTransaction,
  users: readonly LockedSubject[],
): Promise<readonly StoredEvent[]> {
  const owners = new Map(users.flatMap((user) => keysOf(user).map(({ id }) => [id, user.key.id] as const)))
  if (owners.size === 0) return []
  const events = await tx.eventsOf([...owners.keys()])
  return events.map((event) => ({ ...event, userId: owners.get(event.userId) ?? event.userId }))
}

/** Events of anybody, each with the id that its user has now. */
export async function ofWhoTheyAre(
  tx: StoreTransaction,
  events: readonly StoredEvent[],
): Promise<readonly StoredEvent[]> {
  const into = new Map<string, string>()
  for (let asked = new Set(events.map(({ userId }) => userId)); asked.size > 0; ) {
    const found = await tx.peekSubjects([...asked].map((id) => ({ kind: 'user', id })))
    const moved = found.flatMap(({ key, state }) => (state.into === undefined ? [] : [[key.id, state.into] as const]))
    for (const [id, now] of moved) into.set(id, now)
    asked = new Set(moved.map(([, now]) => now).filter((now) => !into.has(now)))
  }
  const now = (id: string): string => {
    const next = into.get(id)
    return next === undefined ? id : now(next)
  }
  return into.size === 0 ? events : events.map((event) => ({ ...event, userId: now(event.userId) }))
}
