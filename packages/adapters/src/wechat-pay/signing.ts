import { createPrivateKey, type KeyObject, randomBytes, sign } from 'node:crypto'
import { optionInvalid } from '../http/errors.js'
import { requireSecret, requireText, type Secret } from '../http/secret.js'
import { ADAPTER } from './names.js'

/** What a signature of a request is over. */
export interface SignedRequest {
  readonly method: 'GET' | 'POST'
  /** Path and query, as they are sent. */
  readonly target: string
  /** Seconds since the epoch. */
  readonly timestamp: number
  readonly nonce: string
  /** Empty for a GET. */
  readonly body: string
}

export interface MerchantOptions {
  /** 商户号. */
  readonly mchId: string
  /** The serial number of the merchant's API certificate (商户API证书序列号): 40 hexadecimal digits. */
  readonly serialNo: string
  /** The merchant's private key in PEM: the text of `apiclient_key.pem`. */
  readonly privateKey: string | Secret
}

const SCHEME = 'WECHATPAY2-SHA256-RSA2048'

/**
 * Signs what a merchant sends: RSA PKCS #1 v1.5 with SHA-256.
 *
 * Wire format: https://pay.weixin.qq.com/doc/v3/merchant/4012365342 (如何生成请求签名)
 */
export class MerchantSigner {
  readonly mchId: string
  readonly serialNo: string
  readonly #key: KeyObject

  /** @throws {AdapterError} `wechat-pay.option_invalid` */
  constructor({ mchId, serialNo, privateKey }: MerchantOptions) {
    requireText(ADAPTER, 'mchId', mchId, 'the 商户号')
    requireText(ADAPTER, 'serialNo', serialNo, 'the serial number of the API certificate')
    this.mchId = mchId
    this.serialNo = serialNo
    this.#key = privateKeyOf(requireSecret(ADAPTER, 'privateKey', privateKey, PRIVATE_KEY))
  }

  /** The signature of a text, in base64. */
  sign(text: string): string {
    return sign('sha256', Buffer.from(text), this.#key).toString('base64')
  }

  /** The header `Authorization` of a request. */
  authorization(request: SignedRequest): string {
    const { timestamp, nonce } = request
    const fields = {
      mchid: this.mchId,
      nonce_str: nonce,
      signature: this.sign(textToSign(request)),
      timestamp: String(timestamp),
      serial_no: this.serialNo,
    }
    const list = Object.entries(fields).map(([name, value]) => `${name}="${value}"`)
    return `${SCHEME} ${list.join(',')}`
  }
}

/** The five lines that a request's signature is over. */
export function textToSign({ method, target, timestamp, nonce, body }: SignedRequest): string {
  return `${method}\n${target}\n${timestamp}\n${nonce}\n${body}\n`
}

/** 32 characters that nobody guesses, and that no two requests share. */
export function freshNonce(): string {
  return randomBytes(16).toString('hex')
}

const PRIVATE_KEY = "the merchant's private key in PEM"

function privateKeyOf(secret: Secret): KeyObject {
  try {
    const key = createPrivateKey(secret.reveal())
    if (key.asymmetricKeyType === 'rsa') return key
  } catch {
    // What OpenSSL says may quote the key.
  }
  throw optionInvalid(ADAPTER, 'privateKey', 'no such key', PRIVATE_KEY)
}
