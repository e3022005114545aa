import { createHmac } from 'node:crypto'
import { optionInvalid } from '../../http/errors.js'
import { isKey } from '../../http/keys.js'
import { requireSecret, requireText, type Secret } from '../../http/secret.js'

/** How a request shows that it comes from the order system. */
export type JsonSourceAuth =
  /** A header field says the secret, alone or after `prefix` (`Bearer `). */
  | { readonly kind: 'token'; readonly header: string; readonly secret: string | Secret; readonly prefix?: string }
  /**
   * A header field holds an HMAC over the body, as it came, by the secret. With `timestamp` it is over
   * `${timestamp}.${body}`, and a request is refused that is older or newer than `toleranceMs` (default 300,000).
   */
  | {
      readonly kind: 'hmac'
      readonly header: string
      readonly secret: string | Secret
      /** Default `sha256`. */
      readonly algorithm?: 'sha256' | 'sha512' | 'sha1'
      /** Default `hex`. */
      readonly encoding?: 'hex' | 'base64'
      /** What stands before it, such as `sha256=`. Default: nothing. */
      readonly prefix?: string
      /** The header field that says when it was signed, in seconds or milliseconds since the epoch. */
      readonly timestamp?: { readonly header: string; readonly toleranceMs?: number }
    }
  /** A scheme of the system's own. */
  | ((request: SignedRequest) => boolean | Promise<boolean>)

export interface SignedRequest {
  readonly headers: Headers
  readonly url: URL
  /** The bytes of the body as they came. */
  readonly body: Buffer
}

export type Authenticate = (request: SignedRequest) => boolean | Promise<boolean>

const TOLERANCE_MS = 5 * 60_000
/** From here on a number is milliseconds. */
const MOST_SECONDS = 1e11

/** @throws {AdapterError} `json.option_invalid` */
export function authenticateBy(auth: JsonSourceAuth): Authenticate {
  if (typeof auth === 'function') return auth
  const { header, prefix = '' } = auth
  const secret = requireSecret('json', 'auth.secret', auth.secret, 'the secret that the order system has')
  requireText('json', 'auth.header', header, 'the name of a header field')
  if (auth.kind === 'token') {
    return ({ headers }) => isKey(headers.get(header) ?? '', `${prefix}${secret.reveal()}`)
  }
  const { algorithm = 'sha256', encoding = 'hex', timestamp } = auth
  const toleranceMs = timestamp?.toleranceMs ?? TOLERANCE_MS
  if (!(toleranceMs > 0)) throw optionInvalid('json', 'auth.timestamp.toleranceMs', String(toleranceMs), 'more than 0')
  return ({ headers, body }) => {
    const hmac = createHmac(algorithm, secret.reveal())
    if (timestamp !== undefined) {
      const said = headers.get(timestamp.header) ?? ''
      if (!/^\d{9,13}$/.test(said)) return false
      const at = Number(said) < MOST_SECONDS ? Number(said) * 1000 : Number(said)
      if (Math.abs(Date.now() - at) > toleranceMs) return false
      hmac.update(`${said}.`)
    }
    const right = hmac.update(body).digest(encoding)
    const given = headers.get(header) ?? ''
    // Hexadecimal digits are the same in capitals.
    return isKey(
      encoding === 'hex' ? given.toLowerCase() : given,
      `${encoding === 'hex' ? prefix.toLowerCase() : prefix}${right}`,
    )
  }
}
