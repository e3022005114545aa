import type { IncomingEvent } from '../ingest/event.js'
import { EVENT_LIMITS, parseTime } from '../ingest/normalise.js'
import { systemClock } from '../queue/clocks.js'

/** How far ahead of all events before it one of the future may be. */
const LONGEST_LEAP_MS = 366 * 86_400_000

/** Tells when events happened, for a clock that follows them. */
export class Timeline {
  private latest: number | undefined

  /**
   * When an event happened; undefined where the clock must not follow: for no time, and for a mistaken one. Of one event
   * of the year 3000, all that come after it would seem to be a thousand years late.
   */
  timeOf(event: IncomingEvent): number | undefined {
    const at = parseTime((event as IncomingEvent | null)?.timestamp)
    if (at === undefined) return undefined
    const now = systemClock.now()
    const isOfTheFuture = at > now + EVENT_LIMITS.futureMs
    if (isOfTheFuture && at > (this.latest ?? now) + LONGEST_LEAP_MS) return undefined
    this.latest = Math.max(at, this.latest ?? at)
    return at
  }
}
