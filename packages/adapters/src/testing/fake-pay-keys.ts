import { createCipheriv, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/** How an answer of a fake WeChat Pay is signed. */
export type FakePaySignature =
  /** As it should be. */
  | 'right'
  /** By a key that nobody has listed. */
  | 'unknown key'
  /** Under the id of its own key, by another. */
  | 'forged'
  /** Six minutes ago. */
  | 'old'
  | 'none'

interface Pair {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

const OLD_SECONDS = 6 * 60

/** What a fake WeChat Pay signs and encrypts with. */
export class FakePayKeys {
  /** All public keys that it has ever signed with, as `platformKeys` wants them. */
  readonly platformKeys: { readonly id: string; readonly publicKey: string }[] = []
  readonly #other = pair()
  #own = this.#add()

  /** Signs with a new key from now on. */
  rotate(): void {
    this.#own = this.#add()
  }

  /** The headers of something that WeChat Pay says. */
  headers(body: string, how: FakePaySignature = 'right'): Readonly<Record<string, string>> {
    if (how === 'none') return {}
    const { id, key } = this.#own
    const timestamp = Math.floor(Date.now() / 1000) - (how === 'old' ? OLD_SECONDS : 0)
    const nonce = randomBytes(16).toString('hex')
    const by = how === 'forged' || how === 'unknown key' ? this.#other.privateKey : key
    return {
      'wechatpay-serial': how === 'unknown key' ? 'PUB_KEY_ID_OF_NOBODY' : id,
      'wechatpay-timestamp': String(timestamp),
      'wechatpay-nonce': nonce,
      'wechatpay-signature': sign('sha256', Buffer.from(`${timestamp}\n${nonce}\n${body}\n`), by).toString('base64'),
    }
  }

  #add() {
    const { privateKey, publicKey } = pair()
    const id = `PUB_KEY_ID_${String(this.platformKeys.length + 1).padStart(28, '0')}`
    this.platformKeys.push({ id, publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() })
    return { id, key: privateKey }
  }
}

/** A key of RSA, such as merchants and WeChat Pay have. */
export function pair(): Pair {
  return generateKeyPairSync('rsa', { modulusLength: 2048 })
}

/** The encrypted resource of a notice. */
export function sealed(resource: unknown, apiV3Key: string, associated: string) {
  const nonce = randomBytes(6).toString('hex')
  const cipher = createCipheriv('aes-256-gcm', apiV3Key, nonce).setAAD(Buffer.from(associated))
  const bytes = Buffer.concat([cipher.update(JSON.stringify(resource)), cipher.final(), cipher.getAuthTag()])
  return {
    algorithm: 'AEAD_AES_256_GCM',
    original_type: associated,
    associated_data: associated,
    nonce,
    ciphertext: bytes.toString('base64'),
  }
}
