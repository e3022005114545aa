import type { Channel, Outbound, SendContext, SendResult } from '@linli/core'
import { WebhookError } from './errors.js'
import { parseOptions, type WebhookOptions, type WebhookSettings } from './options.js'
import { type AddressOwner, deferred, resultOf } from './outcome.js'
import { bodyOf } from './payload.js'
import { codeOf, type PostRequest, post } from './request.js'
import { signatureHeaders } from './secret.js'
import { parseTarget, type ResolvedAddress, resolveTarget } from './target.js'

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
  return resultOf(await post({ url, addresses, headers, body, signal }), context, owner)
}

// A '.' would let one id and timestamp pass for another, since the signed text is `id.timestamp.body`.
const SAFE_ID = /^[\w:-]{1,256}$/

type Prepared = Pick<PostRequest, 'url' | 'headers' | 'body'>

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

/** A signal that is aborted with `outer`, or after `ms` milliseconds. `clear` leaves no timer and no listener. */
function startDeadline(outer: AbortSignal, ms: number): { signal: AbortSignal; clear(): void } {
  const controller = new AbortController()
  const abort = () => controller.abort(coded('ABORTED'))
  const timer = setTimeout(() => controller.abort(coded('TIMEOUT')), ms)
  outer.addEventListener('abort', abort, { once: true })
  if (outer.aborted) abort()
  return {
    signal: controller.signal,
    clear() {
      clearTimeout(timer)
      outer.removeEventListener('abort', abort)
    },
  }
}

/** Rejects with the signal's reason when it is aborted first. A name server cannot be told to stop. */
function beforeAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject)
  })
}

function coded(code: string): Error {
  return Object.assign(new Error(code), { code })
}
