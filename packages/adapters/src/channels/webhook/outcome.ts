import type { RefusalReason, SendContext, SendResult } from '@linli/core'
import { WebhookError } from './errors.js'
import type { PostOutcome } from './request.js'

const SECOND_MS = 1000
const HOUR_MS = 60 * 60 * SECOND_MS
const FIRST_DELAY_MS = 5 * SECOND_MS
const LONGEST_DELAY_MS = HOUR_MS
const LONGEST_RETRY_AFTER_MS = 24 * HOUR_MS

/** Whose address the URL is, and so which reason a dead one gives: the channel's own, or one for each recipient. */
export type AddressOwner = Extract<RefusalReason, 'configuration' | 'recipient'>

/**
 * The result of one attempt (Standard Webhooks 1.0.0, "Delivery success and failure").
 *
 * A status says "not sent" only where HTTP defines it so: 408, 425, 429 and 503 mean that the request was not handled.
 * 500, 502 and 504 may follow a message that was taken, so their outcome is unknown.
 *
 * @throws {WebhookError} `webhook.outcome_unknown`
 */
export function resultOf(outcome: PostOutcome, context: SendContext, owner: AddressOwner): SendResult {
  if (outcome.kind === 'not_sent') return deferred(context, `webhook.not_sent: ${outcome.code}`)
  if (outcome.kind === 'unknown') throw unknownOutcome(`the connection ended with ${outcome.code} before an answer`)
  const { status } = outcome
  if (status >= 200 && status < 300) return { status: 'accepted' }
  const detail = `webhook.status: HTTP ${status}`
  if ([408, 425, 429, 503].includes(status)) return deferred(context, detail, outcome.retryAfter)
  if (status >= 500 || status < 300) throw unknownOutcome(`the receiver answered HTTP ${status}`, status)
  return { status: 'refused', reason: reasonOf(status, owner), detail }
}

/** Certainly not sent. The next attempt follows `Retry-After`, else doubling delays from 5 seconds to 1 hour. */
export function deferred(context: SendContext, detail: string, retryAfter?: string): SendResult {
  const asked = retryAfter === undefined ? undefined : retryAfterMs(retryAfter, context.at)
  const delayMs = asked ?? backoffMs(context.attempt)
  return { status: 'deferred', retryAt: new Date(context.at.getTime() + delayMs), detail }
}

function reasonOf(status: number, owner: AddressOwner): RefusalReason {
  if ([400, 413, 415, 422].includes(status)) return 'content'
  if ([401, 403, 405].includes(status)) return 'configuration'
  return status < 400 || status === 404 || status === 410 ? owner : 'other'
}

const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

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
  const delay = Math.min(FIRST_DELAY_MS * 2 ** (Math.max(attempt, 1) - 1), LONGEST_DELAY_MS)
  return Math.round(delay * (0.5 + Math.random() / 2))
}

function unknownOutcome(reason: string, status?: number): WebhookError {
  const message = `The outcome of the webhook is unknown: ${reason}. The receiver may have the message.`
  return new WebhookError('webhook.outcome_unknown', message, status)
}
