import type { IncomingEvent } from '../ingest/event.js'
import { PROVISIONAL } from '../ingest/provisional.js'
import type { EventPlace, StoredEvent, StoreReads } from '../ports/store.js'

/** How many events are read at once, and of how long a time at first. */
const PAGE = 5000
const FIRST_STRETCH_MS = 86_400_000

/**
 * The events of a database's log as they were sent to it, in the order they happened, read page by page. Without those
 * that steps of journeys and outcomes of messages have added: a simulation makes its own.
 */
export async function* loggedEvents(store: StoreReads): AsyncGenerator<IncomingEvent> {
  let stretchMs = FIRST_STRETCH_MS
  let [next] = await store.readLog({ limit: 1 })
  while (next !== undefined) {
    yield* incoming([next])
    let after: EventPlace = next
    const before = next.at + stretchMs
    for (;;) {
      const page = await store.readLog({ after, before, limit: PAGE })
      yield* incoming(page)
      const last = page.at(-1)
      if (last !== undefined) after = last
      if (page.length < PAGE) {
        if (page.length < PAGE / 4) stretchMs *= 2
        break
      }
    }
    // What lies far ahead is found at once, however long nothing has happened.
    ;[next] = await store.readLog({ after, limit: 1 })
  }
}

function* incoming(events: readonly StoredEvent[]): Generator<IncomingEvent> {
  for (const event of events) if (!event.messageId.startsWith('linli:')) yield asSent(event)
}

/** An event of the log as its host may send it once more. */
function asSent(event: StoredEvent): IncomingEvent {
  const { messageId, type, userId, at, properties, traits, groupId, anonymousId, previousId, identifiers } = event
  const isProvisional = PROVISIONAL.some((prefix) => userId.startsWith(prefix))
  return {
    messageId,
    type,
    ...(type === 'track' && { event: event.event }),
    ...(!isProvisional && { userId }),
    timestamp: at,
    properties,
    ...(traits && { traits }),
    ...(groupId !== undefined && { groupId }),
    ...(anonymousId !== undefined && { anonymousId }),
    ...(previousId !== undefined && { previousId }),
    ...(identifiers && { context: { externalIds: identifiers } }),
  }
}
