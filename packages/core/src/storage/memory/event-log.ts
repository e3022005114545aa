import type { RelationName } from '@linli/rules'
import type { SubjectKey } from '../../domain/subject.js'
import type { EventPlace, StoredEvent } from '../../ports/store.js'
import { compareText } from '../text-order.js'

/** Committed events. */
export class EventLog {
  /** All that were added and not forgotten, whether they can be read or not. */
  readonly messageIds = new Set<string>()
  /** Those that are kept. */
  readonly #byId = new Map<string, StoredEvent>()
  readonly contradicted = new Set<string>()
  readonly #byUser = new Map<string, StoredEvent[]>()

  of(userId: string): readonly StoredEvent[] {
    return this.#byUser.get(userId) ?? []
  }

  /** Those that count for a subject, in no order. */
  for({ kind, id }: SubjectKey): readonly StoredEvent[] {
    return kind === 'user' ? this.of(id) : this.all().filter((event) => event[kind] === id)
  }

  /** The communities or leaders that some event counts for. */
  countedFor(relation: RelationName): ReadonlySet<string> {
    return new Set(this.all().flatMap((event) => event[relation] ?? []))
  }

  forget(messageIds: ReadonlySet<string>): void {
    for (const [userId, events] of this.#byUser) {
      const kept = events.filter(({ messageId }) => !messageIds.has(messageId))
      if (kept.length === 0) this.#byUser.delete(userId)
      else if (kept.length < events.length) this.#byUser.set(userId, kept)
    }
    for (const messageId of messageIds) {
      this.messageIds.delete(messageId)
      this.#byId.delete(messageId)
      this.contradicted.delete(messageId)
    }
  }

  all(): readonly StoredEvent[] {
    return [...this.#byUser.values()].flat()
  }

  get(messageId: string): StoredEvent | undefined {
    return this.#byId.get(messageId)
  }

  add(event: StoredEvent): void {
    this.#byId.set(event.messageId, event)
    const events = this.#byUser.get(event.userId)
    if (events === undefined) this.#byUser.set(event.userId, [event])
    else events.push(event)
  }
}

/** Whether an event stands after a place of the log. */
export function isAfter({ at, messageId }: StoredEvent, place: EventPlace | undefined): boolean {
  if (place === undefined || at > place.at) return true
  return at === place.at && compareText(messageId, place.messageId) > 0
}

/** In the order they happened; equal instants: by message id. */
export function inOrder(events: readonly StoredEvent[]): readonly StoredEvent[] {
  return events.toSorted((a, b) => a.at - b.at || compareText(a.messageId, b.messageId))
}
