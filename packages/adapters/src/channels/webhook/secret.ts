import { inspect } from 'node:util'
import { Webhook } from 'standardwebhooks'
import { WebhookError } from './errors.js'

const PREFIX = 'whsec_'
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const REDACTED = '[redacted]'

/**
 * A symmetric signing secret of Standard Webhooks 1.0.0: `whsec_` and base64 of 24 to 64 random bytes. It prints and
 * serialises as `[redacted]`, so a configuration that holds it may be logged.
 */
export class SigningSecret {
  readonly #webhook: Webhook

  /**
   * @throws {WebhookError} `webhook.secret_invalid`, without the secret in its message.
   * @example
   * const secret = new SigningSecret(process.env['WEBHOOK_SECRET'] ?? '')
   */
  constructor(text: string) {
    const key = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : ''
    const bytes = BASE64.test(key) ? Buffer.from(key, 'base64').length : 0
    if (bytes < 24 || bytes > 64) {
      const found = text.startsWith(PREFIX) ? `${PREFIX} and ${bytes} bytes of base64` : `no "${PREFIX}" at its start`
      throw new WebhookError(
        'webhook.secret_invalid',
        `A webhook secret has ${found}. It must be "${PREFIX}" and base64 of 24 to 64 random bytes.`,
      )
    }
    this.#webhook = new Webhook(text)
  }

  /** One signature for the `webhook-signature` header: `v1,` and base64 of HMAC-SHA256 over `id.seconds.body`. */
  sign(id: string, at: Date, body: string): string {
    return this.#webhook.sign(id, at, body)
  }

  toString(): string {
    return REDACTED
  }

  toJSON(): string {
    return REDACTED
  }

  [inspect.custom](): string {
    return REDACTED
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
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': secrets.map((secret) => secret.sign(id, at, body)).join(' '),
  }
}
