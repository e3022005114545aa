import type { SubjectKey } from '../../domain/subject.js'
import type { StoredEvent } from '../../ports/store.js'
import { type EventLog, inOrder } from './event-log.js'

/** What a transaction does to the log of events. */
export class StagedEvents {
  readonly #log: EventLog
  readonly #keepEvents: boolean
  readonly #messageIds = new Set<string>()
  readonly #contradicted = new Set<string>()
  readonly #added: StoredEvent[] = []
  readonly #forgotten = new Set<string>()

  constructor(log: EventLog, keepEvents: boolean) {
    this.#log = log
    this.#keepEvents = keepEvents
  }

  commit(): void {
    for (const messageId of this.#messageIds) this.#log.messageIds.add(messageId)
    for (const messageId of this.#contradicted) this.#log.contradicted.add(messageId)
    for (const event of this.#added) this.#log.add(event)
    if (this.#forgotten.size > 0) this.#log.forget(this.#forgotten)
  }

  add(events: readonly StoredEvent[]): ReadonlySet<string> {
    const added = new Set<string>()
    for (const event of events) {
      const { messageId } = event
      if (this.#log.messageIds.has(messageId) || this.#messageIds.has(messageId)) continue
      this.#messageIds.add(messageId)
      added.add(messageId)
      if (this.#keepEvents) this.#added.push(event)
    }
    return added
  }

  for(key: SubjectKey): readonly StoredEvent[] {
    if (key.kind === 'user') return this.of([key.id])
    const added = this.#added.filter((event) => event[key.kind as 'community'] === key.id)
    return inOrder([...this.#log.for(key), ...added])
  }

  byId(messageIds: readonly string[]): readonly StoredEvent[] {
    const added = new Map(this.#added.map((event) => [event.messageId, event]))
    return [...new Set(messageIds)].flatMap((id) => added.get(id) ?? this.#log.get(id) ?? [])
  }

  markContradicted(messageIds: readonly string[]): ReadonlySet<string> {
    const isKnown = (id: string) => this.#log.messageIds.has(id) || this.#messageIds.has(id)
    const isMarked = (id: string) => this.#log.contradicted.has(id) || this.#contradicted.has(id)
    const marked = new Set(messageIds.filter((id) => isKnown(id) && !isMarked(id)))
    for (const id of marked) this.#contradicted.add(id)
    return marked
  }

  forget(until: number, limit: number): number {
    const before = this.#forgotten.size
    for (const { messageId, at } of this.#log.all()) {
      if (this.#forgotten.size - before === limit) break
      if (at <= until) this.#forgotten.add(messageId)
    }
    return this.#forgotten.size - before
  }

  /** Forgets the events of some users; gives how many they were. */
  forgetOf(userIds: readonly string[]): number {
    const found = userIds.flatMap((userId) => this.#log.of(userId))
    for (const { messageId } of found) this.#forgotten.add(messageId)
    return found.length
  }

  of(userIds: readonly string[]): readonly StoredEvent[] {
    const wanted = new Set(userIds)
    const added = this.#added.filter(({ userId }) => wanted.has(userId))
    return inOrder([...[...wanted].flatMap((userId) => this.#log.of(userId)), ...added])
  }
}
