import type { IncomingEvent } from '../ingest/event.js'
import { FUTURE_MS, placeInTime } from '../ingest/event-time.js'
import { systemClock } from '../queue/clocks.js'

/** How far ahead of all events before it one of the future may be. */
const LONGEST_LEAP_MS = 366 * 86_400_000

/** Stands in for the clock of an engine that no event can be ahead of. */
const NEVER = Number.MAX_SAFE_INTEGER

/**
 * An event of a recording, as its server received it. Where that is not said, it was received when it was sent: the clock
 * of a simulation says nothing about the clock of a device.
 */
export function asReceived(event: IncomingEvent): IncomingEvent {
  const { sentAt, receivedAt } = event ?? {}
  return sentAt === undefined || receivedAt !== undefined ? event : { ...event, receivedAt: sentAt }
}

/** Tells when events happened, for a clock that follows them. */
export class Timeline {
  private latest: number | undefined

  /**
   * When an event happened; undefined where the clock must not follow: for no time, and for a mistaken one. Of one event
   * of the year 3000, all that come after it would seem to be a thousand years late.
   */
  timeOf(event: IncomingEvent): number | undefined {
    const placed = event === null || event === undefined ? undefined : placeInTime(event, NEVER)
    if (placed?.ok !== true || placed.at === NEVER) return undefined
    const { at } = placed
    const now = systemClock.now()
    const isOfTheFuture = at > now + FUTURE_MS
    if (isOfTheFuture && at > (this.latest ?? now) + LONGEST_LEAP_MS) return undefined
    this.latest = Math.max(at, this.latest ?? at)
    return at
  }
}
