export type WebhookErrorCode =
  /** An option is out of its range. */
  | 'webhook.option_invalid'
  /** A signing secret is not `whsec_` and base64 of 24 to 64 bytes. */
  | 'webhook.secret_invalid'
  /** The address is not a URL. */
  | 'webhook.url_invalid'
  /** The URL's scheme is not allowed. */
  | 'webhook.url_scheme'
  /** The URL carries a user name or a password. */
  | 'webhook.url_credentials'
  /** The URL's port is not allowed. */
  | 'webhook.url_port'
  /** The URL's host is, or resolves to, an address that is not public. */
  | 'webhook.address_forbidden'
  /** The request left and no usable answer came: the receiver may have the message. */
  | 'webhook.outcome_unknown'
  /** A request that came in carries no signature of one of the secrets, or an old or a malformed one. */
  | 'webhook.not_verified'

/**
 * What went wrong, in words that may be logged: neither the message, nor a URL, nor a secret stands in it.
 *
 * Thrown by `webhookChannel` for options that can never work, and by `verifyWebhook`. `send` rejects with it only as
 * `webhook.outcome_unknown`; every known outcome is a value whose `detail` begins with a code.
 */
export class WebhookError extends Error {
  constructor(
    readonly code: WebhookErrorCode,
    message: string,
    /** The receiver's HTTP status, where one came. */
    readonly status?: number,
  ) {
    super(message)
    this.name = 'WebhookError'
  }
}
