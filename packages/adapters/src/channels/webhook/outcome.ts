import type { RefusalReason, SendContext, SendResult } from '@linli/core'
import { deferred } from '../../http/deferral.js'
import type { HttpOutcome } from '../../http/request.js'
import { WebhookError } from './errors.js'

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
export function resultOf(outcome: HttpOutcome, context: SendContext, owner: AddressOwner): SendResult {
  if (outcome.kind === 'not_sent') return deferred(context, `webhook.not_sent: ${outcome.code}`)
  if (outcome.kind === 'unknown') throw unknownOutcome(`the connection ended with ${outcome.code} before an answer`)
  const { status } = outcome
  if (status >= 200 && status < 300) return { status: 'accepted' }
  const detail = `webhook.status: HTTP ${status}`
  if ([408, 425, 429, 503].includes(status)) return deferred(context, detail, outcome)
  if (status >= 500 || status < 300) throw unknownOutcome(`the receiver answered HTTP ${status}`, status)
  return { status: 'refused', reason: reasonOf(status, owner), detail }
}

function reasonOf(status: number, owner: AddressOwner): RefusalReason {
  if ([400, 413, 415, 422].includes(status)) return 'content'
  if ([401, 403, 405].includes(status)) return 'configuration'
  return status < 400 || status === 404 || status === 410 ? owner : 'other'
}

function unknownOutcome(reason: string, status?: number): WebhookError {
  const message = `The outcome of the webhook is unknown: ${reason}. The receiver may have the message.`
  return new WebhookError('webhook.outcome_unknown', message, status)
}
