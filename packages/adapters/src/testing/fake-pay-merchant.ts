import { type KeyObject, randomBytes, verify } from 'node:crypto'
import { pair } from './fake-pay-keys.js'
import type { FakeRequest } from './fake-server.js'

const MOST_SKEW_SECONDS = 300
const AUTHORIZATION = /^WECHATPAY2-SHA256-RSA2048 (.+)$/

/** A merchant of a fake WeChat Pay: what it is called by, and whether a request is its own. */
export class FakePayMerchant {
  readonly serialNo = randomBytes(20).toString('hex').toUpperCase()
  readonly privateKey: string
  readonly #publicKey: KeyObject
  readonly #nonces = new Set<string>()

  constructor(readonly mchId: string) {
    const { privateKey, publicKey } = pair()
    this.privateKey = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    this.#publicKey = publicKey
  }

  /** Signed by its key, not long ago, and never seen before. */
  hasSigned({ method, target, body, headers }: FakeRequest): boolean {
    const list = AUTHORIZATION.exec(String(headers['authorization']))?.[1] ?? ''
    const fields = Object.fromEntries([...list.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]))
    const { mchid, serial_no: serialNo, timestamp = '', nonce_str: nonce = '', signature = '' } = fields
    if (mchid !== this.mchId || serialNo !== this.serialNo || this.#nonces.has(nonce)) return false
    if (Math.abs(Number(timestamp) - Date.now() / 1000) > MOST_SKEW_SECONDS) return false
    this.#nonces.add(nonce)
    const text = Buffer.from(`${method}\n${target}\n${timestamp}\n${nonce}\n${body}\n`)
    return verify('sha256', text, this.#publicKey, Buffer.from(signature, 'base64'))
  }
}
