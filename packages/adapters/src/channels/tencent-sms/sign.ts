import { createHmac } from 'node:crypto'
import type { Secret } from '../../http/secret.js'
import { sha256 } from '../../sms/digest.js'

const ALGORITHM = 'TC3-HMAC-SHA256'

/** What is signed of a request: a POST to `/`. */
export interface Tc3Request {
  /** The first label of the host, such as `sms`. */
  readonly service: string
  readonly host: string
  readonly contentType: string
  readonly body: string
  readonly at: Date
}

export interface SecretKey {
  readonly id: string
  readonly key: Secret
}

/**
 * The `Authorization` header of a request to Tencent Cloud, signed as TC3-HMAC-SHA256 (签名方法 v3).
 *
 * Source: https://cloud.tencent.com/document/api/382/52072
 */
export function tc3Authorization({ service, host, contentType, body, at }: Tc3Request, secret: SecretKey): string {
  const date = at.toISOString().slice(0, 10)
  const scope = `${date}/${service}/tc3_request`
  const headers = `content-type:${contentType}\nhost:${host}\n`
  const signed = 'content-type;host'
  const canonical = `POST\n/\n\n${headers}\n${signed}\n${sha256(body)}`
  const toSign = `${ALGORITHM}\n${secondsOf(at)}\n${scope}\n${sha256(canonical)}`
  const dateKey = hmac(`TC3${secret.key.reveal()}`, date)
  const signature = hmac(hmac(hmac(dateKey, service), 'tc3_request'), toSign).toString('hex')
  return `${ALGORITHM} Credential=${secret.id}/${scope}, SignedHeaders=${signed}, Signature=${signature}`
}

/** Seconds since the epoch, as `X-TC-Timestamp` has them. */
export function secondsOf(at: Date): string {
  return String(Math.floor(at.getTime() / 1000))
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
