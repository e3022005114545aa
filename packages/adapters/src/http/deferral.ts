import type { SendContext } from '@linli/core'

const SECOND_MS = 1000
const HOUR_MS = 60 * 60 * SECOND_MS
const FIRST_DELAY_MS = 5 * SECOND_MS
const LONGEST_RETRY_AFTER_MS = 24 * HOUR_MS
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

/** Certainly not sent. */
export interface Deferred {
  readonly status: 'deferred'
  readonly retryAt: Date
  readonly detail: string
}

/** What is known of when to try again. */
export interface Again {
  /** The provider's `Retry-After`. */
  readonly retryAfter?: string | undefined
  /** Not before so many milliseconds have gone by. */
  readonly leastMs?: number
}

/** The next attempt follows `Retry-After`, else doubling delays from 5 seconds to 1 hour. */
export function deferred(context: SendContext, detail: string, { retryAfter, leastMs = 0 }: Again = {}): Deferred {
  const asked = retryAfter === undefined ? undefined : retryAfterMs(retryAfter, context.at)
  const delayMs = Math.max(leastMs, asked ?? backoffMs(context.attempt))
  return { status: 'deferred', retryAt: new Date(context.at.getTime() + delayMs), detail }
}

/** `Retry-After` of RFC 9110, seconds or a date, held between 1 second and 24 hours. Undefined when it is neither. */
function retryAfterMs(header: string, at: Date): number | undefined {
  const text = header.trim()
  const asked = /^\d+$/.test(text)
    ? Number(text) * SECOND_MS
    : HTTP_DATE.test(text)
      ? Date.parse(text) - at.getTime()
      : Number.NaN
  if (Number.isNaN(asked)) return undefined
  return Math.min(Math.max(asked, SECOND_MS), LONGEST_RETRY_AFTER_MS)
}

/** Half of the delay is left to chance, so that receivers that failed together are not called together again. */
function backoffMs(attempt: number): number {
  const delay = Math.min(FIRST_DELAY_MS * 2 ** (Math.max(attempt, 1) - 1), HOUR_MS)
  return Math.round(delay * (0.5 + Math.random() / 2))
}
