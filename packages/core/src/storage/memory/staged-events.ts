import type { SubjectKey } from '../../domain/subject.js'
import type { StoredEvent } from '../../ports/store.js'
import { type EventLog, inOrder } from './event-log.js'

/** What a transaction does to the log of events. */
export class StagedEvents {
  readonly #log: EventLog
  readonly #keepEvents: boolean
  readonly #messageIds = new Set<string>()
  readonly #contradicted = new Set<string>()
  readonly #changes: (StoredEvent | Reassignment)[] = []

  constructor(log: EventLog, keepEvents: boolean) {
    this.#log = log
    this.#keepEvents = keepEvents
  }

  commit(): void {
    for (const messageId of this.#messageIds) this.#log.messageIds.add(messageId)
    for (const messageId of this.#contradicted) this.#log.contradicted.add(messageId)
    for (const change of this.#changes) {
      if (isReassignment(change)) this.#log.reassign(change.from, change.to)
      else this.#log.add(change)
    }
  }

  add(events: readonly StoredEvent[]): ReadonlySet<string> {
    const added = new Set<string>()
    for (const event of events) {
      const { messageId } = event
      if (this.#log.messageIds.has(messageId) || this.#messageIds.has(messageId)) continue
      this.#messageIds.add(messageId)
      added.add(messageId)
      if (this.#keepEvents) this.#changes.push(event)
    }
    return added
  }

  for(key: SubjectKey): readonly StoredEvent[] {
    if (key.kind === 'user') return this.of(key.id)
    const added = this.#changes.filter((change): change is StoredEvent => !isReassignment(change))
    return inOrder([...this.#log.for(key), ...added.filter((event) => event[key.kind as 'community'] === key.id)])
  }

  byId(messageIds: readonly string[]): readonly StoredEvent[] {
    const added = new Map(
      this.#changes.flatMap((change) => (isReassignment(change) ? [] : [[change.messageId, change]])),
    )
    return [...new Set(messageIds)].flatMap((id) => added.get(id) ?? this.#log.get(id) ?? [])
  }

  markContradicted(messageIds: readonly string[]): ReadonlySet<string> {
    const isKnown = (id: string) => this.#log.messageIds.has(id) || this.#messageIds.has(id)
    const isMarked = (id: string) => this.#log.contradicted.has(id) || this.#contradicted.has(id)
    const marked = new Set(messageIds.filter((id) => isKnown(id) && !isMarked(id)))
    for (const id of marked) this.#contradicted.add(id)
    return marked
  }

  reassign(from: string, to: string): void {
    this.#changes.push({ from, to })
  }

  of(userId: string): readonly StoredEvent[] {
    const users = new Map<string, readonly StoredEvent[]>()
    const eventsOf = (id: string) => users.get(id) ?? this.#log.of(id)
    for (const change of this.#changes) {
      if (!isReassignment(change)) {
        users.set(change.userId, [...eventsOf(change.userId), change])
      } else if (change.from !== change.to) {
        const moved = eventsOf(change.from).map((event) => ({ ...event, userId: change.to }))
        users.set(change.to, [...eventsOf(change.to), ...moved])
        users.set(change.from, [])
      }
    }
    return inOrder(eventsOf(userId))
  }
}

interface Reassignment {
  readonly from: string
  readonly to: string
}

function isReassignment(change: StoredEvent | Reassignment): change is Reassignment {
  return 'from' in change
}
