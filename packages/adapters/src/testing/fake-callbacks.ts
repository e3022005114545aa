import { randomBytes } from 'node:crypto'
import { asObject } from '../http/json.js'
import { CallbackCrypt, signatureOf } from '../wechat/crypt.js'

export interface CallbackOptions {
  readonly token: string
  /** Left out: not encrypted (明文模式). */
  readonly encodingAesKey?: string
  /** Whom it is for: the corp's id, or the mini-program's AppID. */
  readonly receiveId?: string
  /** Default `xml`. */
  readonly format?: 'xml' | 'json'
}

/** A callback of WeCom or WeChat, signed and encrypted as they do. In XML a list is an element several times. */
export function callbackRequest(
  url: string,
  fields: Readonly<Record<string, unknown>>,
  { token, encodingAesKey, receiveId = '', format = 'xml' }: CallbackOptions,
): Request {
  const text = written(fields, format)
  const [timestamp, nonce] = [String(Math.floor(Date.now() / 1000)), randomBytes(5).toString('hex')]
  const query = new URLSearchParams({ timestamp, nonce, signature: signatureOf(token, timestamp, nonce) })
  if (encodingAesKey === undefined) return new Request(`${url}?${query}`, { method: 'POST', body: text })
  const crypt = new CallbackCrypt({ token, encodingAesKey, receiveId })
  const encrypted = crypt.seal(text)
  query.set('encrypt_type', 'aes')
  query.set('msg_signature', crypt.sign(timestamp, nonce, encrypted))
  const body = written({ ToUserName: receiveId, Encrypt: encrypted }, format)
  return new Request(`${url}?${query}`, { method: 'POST', body })
}

function written(fields: Readonly<Record<string, unknown>>, format: 'xml' | 'json'): string {
  return format === 'json' ? JSON.stringify(fields) : `<xml>${xmlOf(fields)}</xml>`
}

function xmlOf(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((one: unknown) => element(name, one)))
    .join('')
}

function element(name: string, value: unknown): string {
  const object = asObject(value)
  return `<${name}>${object === undefined ? `<![CDATA[${String(value)}]]>` : xmlOf(object)}</${name}>`
}
