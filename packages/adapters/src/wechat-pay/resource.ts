import { createDecipheriv } from 'node:crypto'
import { AdapterError, optionInvalid } from '../http/errors.js'
import { asObject, type JsonObject, parseObject } from '../http/json.js'
import { requireSecret, type Secret } from '../http/secret.js'
import { ADAPTER } from './names.js'

const KEY_BYTES = 32
const TAG_BYTES = 16
const NONCE_BYTES = 12
const ALGORITHM = 'AEAD_AES_256_GCM'

/** A notice cannot be read: the APIv3 key is another, or it is encrypted in a way that is not known. */
export class NotDecrypted extends AdapterError<'wechat-pay.not_decrypted'> {
  constructor(why: string) {
    super('wechat-pay.not_decrypted', `The notice cannot be decrypted: ${why}.`)
  }
}

/**
 * Opens what notices hold: AES-256-GCM (RFC 5116) under the APIv3 key.
 *
 * Wire format: https://pay.weixin.qq.com/doc/v3/merchant/4012071382 (如何解密回调报文)
 */
export class ResourceCipher {
  readonly #key: Secret

  /** @throws {AdapterError} `wechat-pay.option_invalid`: the key has not 32 bytes. */
  constructor(apiV3Key: string | Secret) {
    const right = 'the 32 characters of the APIv3 key'
    this.#key = requireSecret(ADAPTER, 'apiV3Key', apiV3Key, right)
    if (Buffer.byteLength(this.#key.reveal()) !== KEY_BYTES) throw optionInvalid(ADAPTER, 'apiV3Key', 'no key', right)
  }

  /** The resource of a notice, decrypted. @throws {NotDecrypted} */
  open(resource: unknown): JsonObject {
    const { algorithm, ciphertext, nonce, associated_data: associated = '' } = asObject(resource) ?? {}
    if (algorithm !== ALGORITHM) throw new NotDecrypted(`it is not by ${ALGORITHM}`)
    if (typeof ciphertext !== 'string' || typeof nonce !== 'string' || typeof associated !== 'string') {
      throw new NotDecrypted('something is missing')
    }
    const json = parseObject(this.decrypt(ciphertext, nonce, associated))
    if (json === undefined) throw new NotDecrypted('it holds no JSON object')
    return json
  }

  /** @throws {NotDecrypted} */
  decrypt(ciphertext: string, nonce: string, associated: string): string {
    const bytes = Buffer.from(ciphertext, 'base64')
    if (bytes.length < TAG_BYTES || Buffer.byteLength(nonce) !== NONCE_BYTES) throw new NotDecrypted('it is too short')
    const plain = this.#plainOf(bytes, nonce, associated)
    if (plain === undefined) throw new NotDecrypted('the APIv3 key is another, or it was changed on its way')
    return plain
  }

  #plainOf(bytes: Buffer, nonce: string, associated: string): string | undefined {
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key.reveal(), nonce, { authTagLength: TAG_BYTES })
      decipher.setAAD(Buffer.from(associated)).setAuthTag(bytes.subarray(-TAG_BYTES))
      return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString('utf8')
    } catch {
      return undefined
    }
  }
}
