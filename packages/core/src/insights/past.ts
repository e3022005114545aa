import type { Decision } from '../domain/decision.js'
import { type SubjectKey, type SubjectState, subjectName } from '../domain/subject.js'
import type { EventPlace, Store, StoredEvent, StoreTransaction } from '../ports/store.js'
import { whoIs } from '../subjects/people.js'
import { ofWhoTheyAre } from '../subjects/persons.js'

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

/** How many events of a community or leader are read at once. */
const PAGE = 5000

/** What is on record under all ids of a person; of a community or leader, what was taken in for it. */
export async function readPast(store: Store, asked: SubjectKey): Promise<Past> {
  const { key, keys, state } = await whoIs(store, asked)
  const [events, decisions] = await Promise.all([
    key.kind === 'user' ? eventsOfPerson(store, key, keys) : store.transaction((tx) => eventsOfRelated(tx, key)),
    store.readDecisions({ subjects: keys.map(subjectName) }),
  ])
  return { key, events, decisions, state }
}

async function eventsOfPerson(store: Store, { id: userId }: SubjectKey, keys: readonly SubjectKey[]) {
  const events = await store.readEvents({ userIds: keys.map(({ id }) => id) })
  return events.map((event) => ({ ...event, userId }))
}

/** An event counts for the community and the leader that its user had when it was taken in. */
async function eventsOfRelated(tx: StoreTransaction, key: SubjectKey): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = []
  for (let after: EventPlace | undefined; ; ) {
    const page = await tx.eventsFor(key, after, PAGE)
    events.push(...page)
    after = page.at(-1)
    if (page.length < PAGE) return ofWhoTheyAre(tx, events)
  }
}
