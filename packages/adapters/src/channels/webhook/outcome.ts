import type { SendContext, SendResult } from '@linli/core'
import { deferred } from '../../http/deferral.js'
import type { HttpOutcome } from '../../http/request.js'
import { type AddressOwner, verdictOfStatus } from '../../http/status.js'
import { WebhookError } from './errors.js'

/**
 * The result of one attempt (Standard Webhooks 1.0.0, "Delivery success and failure").
 *
 * @throws {WebhookError} `webhook.outcome_unknown`
 */
export function resultOf(outcome: HttpOutcome, context: SendContext, owner: AddressOwner): SendResult {
  if (outcome.kind === 'not_sent') return deferred(context, `webhook.not_sent: ${outcome.code}`)
  if (outcome.kind === 'unknown') throw unknownOutcome(`the connection ended with ${outcome.code} before an answer`)
  const { status } = outcome
  const verdict = verdictOfStatus(status, owner)
  const detail = `webhook.status: HTTP ${status}`
  switch (verdict.means) {
    case 'accepted':
      return { status: 'accepted' }
    case 'again':
      return deferred(context, detail, outcome)
    case 'unknown':
      throw unknownOutcome(`the receiver answered HTTP ${status}`, status)
    case 'refused':
      return { status: 'refused', reason: verdict.reason, detail }
  }
}

function unknownOutcome(reason: string, status?: number): WebhookError {
  const message = `The outcome of the webhook is unknown: ${reason}. The receiver may have the message.`
  return new WebhookError('webhook.outcome_unknown', message, status)
}
