import { createHmac, timingSafeEqual } from 'node:crypto'
import { Redacted } from '../../http/secret.js'
import { WebhookError } from './errors.js'

const PREFIX = 'whsec_'
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/**
 * A symmetric signing secret of Standard Webhooks 1.0.0: `whsec_` and base64 of 24 to 64 random bytes. It prints and
 * serialises as `[redacted]`, so a configuration that holds it may be logged.
 */
export class SigningSecret extends Redacted {
  readonly #key: Buffer

  /**
   * @throws {WebhookError} `webhook.secret_invalid`, without the secret in its message.
   * @example
   * const secret = new SigningSecret(process.env['WEBHOOK_SECRET'] ?? '')
   */
  constructor(text: string) {
    super()
    const key = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : ''
    this.#key = Buffer.from(BASE64.test(key) ? key : '', 'base64')
    const { length } = this.#key
    if (length < 24 || length > 64) {
      const found = text.startsWith(PREFIX) ? `${PREFIX} and ${length} bytes of base64` : `no "${PREFIX}" at its start`
      throw new WebhookError(
        'webhook.secret_invalid',
        `A webhook secret has ${found}. It must be "${PREFIX}" and base64 of 24 to 64 random bytes.`,
      )
    }
  }

  /** One signature for the `webhook-signature` header: `v1,` and base64 of HMAC-SHA256 over `id.seconds.body`. */
  sign(id: string, at: Date, body: string | Uint8Array): string {
    return `v1,${this.#hmac(id, at, body).toString('base64')}`
  }

  /** Whether it made one of the signatures of a `webhook-signature` header. Takes as long for a near miss as for any. */
  verifies(signatures: string, id: string, at: Date, body: string | Uint8Array): boolean {
    const expected = this.#hmac(id, at, body)
    return signatures.split(' ').some((signature) => {
      if (!signature.startsWith('v1,')) return false
      const found = Buffer.from(signature.slice(3), 'base64')
      return found.length === expected.length && timingSafeEqual(found, expected)
    })
  }

  #hmac(id: string, at: Date, body: string | Uint8Array): Buffer {
    return createHmac('sha256', this.#key)
      .update(`${id}.${toSeconds(at)}.`)
      .update(body)
      .digest()
  }
}

/** One secret, or the new and the old one while receivers change over: each signs every request. */
export type Secrets = string | SigningSecret | readonly (string | SigningSecret)[]

/** Checks and wraps what the host gave. @throws {WebhookError} `webhook.secret_invalid` */
export function parseSecrets(secrets: Secrets): readonly SigningSecret[] {
  const list = typeof secrets === 'string' || secrets instanceof SigningSecret ? [secrets] : secrets
  if (list.length === 0) {
    throw new WebhookError('webhook.secret_invalid', 'A webhook has no secret. Give one, or two while you rotate them.')
  }
  return list.map((secret) => (typeof secret === 'string' ? new SigningSecret(secret) : secret))
}

/** The three headers of Standard Webhooks for one attempt. */
export function signatureHeaders(secrets: readonly SigningSecret[], id: string, at: Date, body: string) {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(toSeconds(at)),
    'webhook-signature': secrets.map((secret) => secret.sign(id, at, body)).join(' '),
  }
}

function toSeconds(at: Date): number {
  return Math.floor(at.getTime() / 1000)
}
