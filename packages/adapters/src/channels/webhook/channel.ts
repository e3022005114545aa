import type { Channel, Outbound, SendContext, SendResult } from '@linli/core'
import { beforeAbort, startDeadline } from '../../http/deadline.js'
import { deferred } from '../../http/deferral.js'
import { codeOf, exchange, type HttpRequest, type ResolvedAddress } from '../../http/request.js'
import type { AddressOwner } from '../../http/status.js'
import { WebhookError } from './errors.js'
import { parseOptions, type WebhookOptions, type WebhookSettings } from './options.js'
import { resultOf } from './outcome.js'
import { bodyOf } from './payload.js'
import { signatureHeaders } from './secret.js'
import { parseTarget, resolveTarget } from './target.js'

/**
 * A channel that posts each message to a URL as a signed webhook (Standard Webhooks 1.0.0).
 *
 * URLs are treated as hostile: https on port 443 to public addresses only, no redirects, no proxy, and answers are
 * never kept. Repeats carry the same `webhook-id`, and the receiver must drop those it has seen.
 *
 * @throws {WebhookError} For options that can never work.
 * @example
 * webhookChannel({ url: 'https://crm.example.com/hooks/linli', secrets: process.env['WEBHOOK_SECRET'] ?? '' })
 */
export function webhookChannel(options: WebhookOptions): Channel {
  const settings = parseOptions(options)
  return {
    name: settings.name,
    repeat: { kind: 'idempotent', windowMs: settings.receiverRemembersMs },
    async send(message, context) {
      const deadline = startDeadline(context.signal, settings.timeoutMs)
      try {
        return await attempt(settings, message, context, deadline.signal)
      } finally {
        deadline.clear()
      }
    },
  }
}

async function attempt(
  settings: WebhookSettings,
  message: Outbound,
  context: SendContext,
  signal: AbortSignal,
): Promise<SendResult> {
  const owner: AddressOwner = settings.urlPerRecipient ? 'recipient' : 'configuration'
  const prepared = prepare(settings, message, context, owner)
  if ('status' in prepared) return prepared
  const { url, headers, body } = prepared

  let addresses: readonly ResolvedAddress[]
  try {
    addresses = await beforeAbort(resolveTarget(url, settings.policy, settings.lookup), signal)
  } catch (error) {
    if (error instanceof WebhookError) return refused(owner, error)
    return deferred(context, `webhook.not_sent: ${codeOf(error)}`)
  }
  return resultOf(await exchange({ url, addresses, headers, body, signal }), context, owner)
}

// A '.' would let one id and timestamp pass for another, since the signed text is `id.timestamp.body`.
const SAFE_ID = /^[\w:-]{1,256}$/

type Prepared = Required<Pick<HttpRequest, 'url' | 'headers' | 'body'>>

/** All that needs no network. A refusal when the message can never be sent so. */
function prepare(
  settings: WebhookSettings,
  message: Outbound,
  context: SendContext,
  owner: AddressOwner,
): Prepared | SendResult {
  if (!SAFE_ID.test(message.deliveryKey)) {
    return { status: 'refused', reason: 'other', detail: 'webhook.delivery_key: not of letters, digits, "_", ":", "-"' }
  }
  try {
    const address = settings.urlOf(message)
    if (address === undefined) {
      return { status: 'refused', reason: 'recipient', detail: 'webhook.no_url: the recipient has none' }
    }
    const url = parseTarget(address, settings.policy)
    const body = bodyOf(message, context, settings.traits)
    const signature = signatureHeaders(settings.secretsOf(message), message.deliveryKey, context.at, body)
    return { url, body, headers: { 'content-type': 'application/json', 'user-agent': 'linli-webhook', ...signature } }
  } catch (error) {
    if (error instanceof WebhookError) return refused(owner, error)
    // The host's own function threw, or a trait is not JSON. The text may hold personal data, so only its kind is told.
    const kind = error instanceof Error ? error.constructor.name : typeof error
    return { status: 'refused', reason: 'configuration', detail: `webhook.not_prepared: ${kind}` }
  }
}

function refused(owner: AddressOwner, { code, message }: WebhookError): SendResult {
  const reason = code === 'webhook.secret_invalid' ? 'configuration' : owner
  return { status: 'refused', reason, detail: `${code}: ${message}` }
}
