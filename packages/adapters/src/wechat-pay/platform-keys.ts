import { createPublicKey, type KeyObject, verify, X509Certificate } from 'node:crypto'
import { optionInvalid } from '../http/errors.js'
import { ADAPTER, MOST_SKEW_SECONDS } from './names.js'

/** A key that WeChat Pay signs with: its public key (微信支付公钥), or one of its platform certificates (平台证书). */
export type PlatformKey =
  /** `id`: `PUB_KEY_ID_…`. `publicKey`: the text of `pub_key.pem`. */
  | { readonly id: string; readonly publicKey: string }
  /** In PEM. Its serial number is read out of it. */
  | { readonly certificate: string }

/** The headers that say who signed what, and when, in lower case. */
export const SIGNATURE_HEADERS = [
  'wechatpay-serial',
  'wechatpay-timestamp',
  'wechatpay-nonce',
  'wechatpay-signature',
] as const

/** Why something is not WeChat Pay's, as far as can be told: in words that may be logged. */
export type NotSigned = 'NOT_SIGNED' | 'OLD_SIGNATURE' | 'UNKNOWN_KEY' | 'BAD_SIGNATURE'

/** How a header is read by its name. */
export type HeaderOf = (name: string) => string | null | undefined

/**
 * Knows WeChat Pay's signatures. `Wechatpay-Serial` says which key one is by, so several may be in use at once: while
 * certificates change, and while a merchant moves from certificates to the public key.
 *
 * Wire format: https://pay.weixin.qq.com/doc/v3/merchant/4013053249 (微信支付公钥验签)
 */
export class PlatformKeys {
  readonly #keys: ReadonlyMap<string, KeyObject>

  /** @throws {AdapterError} `wechat-pay.option_invalid`: none, two of one id, or no key of RSA. */
  constructor(keys: readonly PlatformKey[]) {
    const read = keys.map(readKey)
    this.#keys = new Map(read)
    if (keys.length === 0) throw optionInvalid(ADAPTER, 'platformKeys', 'empty', 'at least one key of WeChat Pay')
    if (this.#keys.size < keys.length) {
      throw optionInvalid(ADAPTER, 'platformKeys', 'a list with two keys of one id', 'keys of different ids')
    }
  }

  /** Whether an answer or a notice is signed by WeChat Pay, and not more than 5 minutes away from `now`, in milliseconds. */
  check(header: HeaderOf, body: string, now: number): 'signed' | NotSigned {
    const [serial, timestamp, nonce, signature] = SIGNATURE_HEADERS.map((name) => header(name) ?? '')
    if (!serial || !timestamp || !nonce || !signature) return 'NOT_SIGNED'
    const skew = Math.abs(Number(timestamp) - now / 1000)
    if (!/^\d{1,12}$/.test(timestamp) || skew > MOST_SKEW_SECONDS) return 'OLD_SIGNATURE'
    const key = this.#keys.get(normal(serial))
    if (key === undefined) return 'UNKNOWN_KEY'
    const text = Buffer.from(`${timestamp}\n${nonce}\n${body}\n`)
    return verify('sha256', text, key, Buffer.from(signature, 'base64')) ? 'signed' : 'BAD_SIGNATURE'
  }
}

function readKey(given: PlatformKey): readonly [string, KeyObject] {
  const read = 'certificate' in given ? readCertificate(given.certificate) : readPublicKey(given)
  if (read?.[1].asymmetricKeyType === 'rsa' && read[0].trim() !== '') return read
  const right = 'a certificate in PEM, or an id and a public key in PEM'
  throw optionInvalid(ADAPTER, 'platformKeys', 'a list with no such key', right)
}

function readCertificate(pem: string): readonly [string, KeyObject] | undefined {
  try {
    const { serialNumber, publicKey } = new X509Certificate(pem)
    return [normal(serialNumber), publicKey]
  } catch {
    return undefined
  }
}

function readPublicKey({ id, publicKey }: { readonly id: string; readonly publicKey: string }) {
  try {
    return [normal(id), createPublicKey(publicKey)] as const
  } catch {
    return undefined
  }
}

/** Serial numbers are hexadecimal, in letters of either case. */
function normal(id: string): string {
  return id.toUpperCase()
}
