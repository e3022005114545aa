import type { Decision } from '../domain/decision.js'
import { type SubjectKey, type SubjectState, subjectName } from '../domain/subject.js'
import type { StoredEvent, StoreReads } from '../ports/store.js'

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

export async function readPast(store: StoreReads, key: SubjectKey): Promise<Past> {
  const [events, decisions, state] = await Promise.all([
    key.kind === 'user' ? store.readEvents({ userId: key.id }) : [],
    store.readDecisions({ subject: subjectName(key) }),
    store.readSubject(key),
  ])
  return { key, events, decisions, state }
}
