import { createHmac } from 'node:crypto'
import type { Secret } from '../../http/secret.js'
import { sha256 } from '../../sms/digest.js'

const ALGORITHM = 'ACS3-HMAC-SHA256'

/** What is signed of a request. */
export interface Acs3Request {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** Those that are signed, by their names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface AccessKey {
  readonly id: string
  readonly secret: Secret
}

/**
 * The `Authorization` header of a request to Alibaba Cloud, signed as ACS3-HMAC-SHA256.
 *
 * Source: https://help.aliyun.com/document_detail/2593177.html
 */
export function acs3Authorization(request: Acs3Request, { id, secret }: AccessKey): string {
  const names = Object.keys(request.headers).sort()
  const signed = names.join(';')
  const canonical = [
    request.method,
    request.path,
    queryOf(request.query),
    ...names.map((name) => `${name}:${request.headers[name]?.trim()}`),
    '',
    signed,
    sha256(request.body),
  ].join('\n')
  const signature = createHmac('sha256', secret.reveal())
    .update(`${ALGORITHM}\n${sha256(canonical)}`)
    .digest('hex')
  return `${ALGORITHM} Credential=${id},SignedHeaders=${signed},Signature=${signature}`
}

/** A query in the one spelling that is signed: sorted by name, and encoded as RFC 3986 has it. */
export function queryOf(query: Readonly<Record<string, string>>): string {
  return Object.keys(query)
    .sort()
    .map((name) => `${encoded(name)}=${encoded(query[name] ?? '')}`)
    .join('&')
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
}
