import type { Decision } from '../domain/decision.js'
import { type SubjectKey, type SubjectState, subjectName } from '../domain/subject.js'
import type { StoredEvent, StoreReads } from '../ports/store.js'
import { whoIs } from '../subjects/people.js'

/** All that is on record of a subject. */
export interface Past {
  readonly key: SubjectKey
  /** In the order they happened. */
  readonly events: readonly StoredEvent[]
  /** In the order they were made. */
  readonly decisions: readonly Decision[]
  /** As it is now; undefined where there is no row. */
  readonly state: SubjectState | undefined
}

/** What is on record under all ids of a person. */
export async function readPast(store: StoreReads, asked: SubjectKey): Promise<Past> {
  const { key, keys, state } = await whoIs(store, asked)
  const [events, decisions] = await Promise.all([
    key.kind === 'user' ? store.readEvents({ userIds: keys.map(({ id }) => id) }) : [],
    store.readDecisions({ subjects: keys.map(subjectName) }),
  ])
  return { key, events: events.map((event) => ({ ...event, userId: key.id })), decisions, state }
}
