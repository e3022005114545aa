import { WebhookError } from './errors.js'
import { parseSecrets, type Secrets } from './secret.js'

/** At most this many bytes of headers are looked at: honest ones are far smaller. */
const LONGEST_HEADER = 4_096
const TOLERANCE_MS = 5 * 60 * 1000

/** A request as an HTTP server has it. */
export interface IncomingWebhook {
  /** `request.headers` of node:http, or a `Headers`. */
  readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>
  /** The bytes of the body as they came, before anything parsed them. */
  readonly body: Uint8Array | string
}

export interface VerifyWebhookOptions {
  /** What the sender signs with: a secret, or the new and the old one while they are changed. */
  readonly secrets: Secrets
  /** The time. Default: now. */
  readonly at?: Date
  /** How far the request's own time may be off, both ways, in milliseconds. Default 300,000 (5 minutes). */
  readonly toleranceMs?: number
}

/** A request that the holder of a secret has made. */
export interface VerifiedWebhook {
  /** The same for each repeat. As the `messageId` of an event it makes repeats harmless: the log takes it once. */
  readonly id: string
  readonly sentAt: Date
  /** The body as text. */
  readonly body: string
}

/**
 * Checks a request that came in as Standard Webhooks 1.0.0: signed by one of the secrets, over exactly these bytes, and not long
 * ago. It throws where it is not, so that nobody can forget to look.
 *
 * Within the tolerance the same request may come again. Give `id` to `engine.ingest` as `messageId`, or remember it for longer
 * than twice the tolerance.
 *
 * @throws {WebhookError} `webhook.not_verified`, without anything of the request; `webhook.secret_invalid`
 * @example
 * const { id, body } = verifyWebhook({ headers: request.headers, body: bytes }, { secrets: process.env['RECEIPTS_SECRET'] ?? '' })
 */
export function verifyWebhook(request: IncomingWebhook, options: VerifyWebhookOptions): VerifiedWebhook {
  const { secrets, at = new Date(), toleranceMs = TOLERANCE_MS } = options
  const trusted = parseSecrets(secrets)
  const { headers } = request
  const id = headerOf(headers, 'webhook-id')
  // A '.' would let one id and timestamp pass for another: what is signed is `id.timestamp.body`.
  if (!/^[^\s.]{1,255}$/.test(id)) throw refused('"webhook-id" is not 1 to 255 characters without "."')
  const seconds = headerOf(headers, 'webhook-timestamp')
  if (!/^\d{1,12}$/.test(seconds)) throw refused('"webhook-timestamp" is not a number of seconds')
  const sentAt = new Date(Number(seconds) * 1000)
  // Written so that a tolerance or a time that is no number lets nothing in.
  if (!(Math.abs(at.getTime() - sentAt.getTime()) <= toleranceMs)) {
    throw refused(`"webhook-timestamp" is more than ${toleranceMs / 1000} seconds away`)
  }
  const signatures = headerOf(headers, 'webhook-signature')
  if (!trusted.some((secret) => secret.verifies(signatures, id, sentAt, request.body))) {
    throw refused('"webhook-signature" has no signature of one of the secrets over this body')
  }
  return { id, sentAt, body: Buffer.from(request.body).toString('utf8') }
}

/** The one value of a header, whatever the case of its name. */
function headerOf(headers: IncomingWebhook['headers'], name: string): string {
  const value = headers instanceof Headers ? headers.get(name) : ownHeader(headers, name)
  if (typeof value !== 'string' || value === '') throw refused(`"${name}" is missing, or there are several`)
  if (value.length > LONGEST_HEADER) throw refused(`"${name}" is longer than ${LONGEST_HEADER} characters`)
  return value
}

function ownHeader(headers: Exclude<IncomingWebhook['headers'], Headers>, name: string): unknown {
  const found = Object.keys(headers).filter((key) => key.toLowerCase() === name)
  return found.length === 1 ? headers[found[0] as string] : undefined
}

function refused(what: string): WebhookError {
  return new WebhookError('webhook.not_verified', `The webhook is not verified: ${what}.`)
}
