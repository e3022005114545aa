import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { AdapterError } from '../http/errors.js'
import { isKey } from '../http/keys.js'

const BLOCK = 32
const RANDOM_BYTES = 16
const LENGTH_BYTES = 4

export interface CallbackKeys {
  /** Token, as the console of the application shows it under 接收消息. */
  readonly token: string
  /** EncodingAESKey: 43 letters and digits. */
  readonly encodingAesKey: string
  /** Whom callbacks are for: the corp's id, or the mini-program's AppID. */
  readonly receiveId: string
}

/** A request is not from the platform, or not for this company or mini-program. Which of both, and why, is not told. */
export class NotVerified extends AdapterError {
  constructor(adapter = 'wecom') {
    super(`${adapter}.not_verified`, 'The callback is not signed with the token, or not encrypted for this receiver.')
  }
}

/** The signature of some texts: SHA-1 over the token and them, sorted. */
export function signatureOf(token: string, ...texts: readonly string[]): string {
  return createHash('sha1')
    .update([token, ...texts].sort().join(''))
    .digest('hex')
}

/**
 * How WeCom and WeChat sign and encrypt callbacks: SHA-1 over the sorted parts, and AES-256-CBC padded to 32 bytes.
 *
 * Wire format: https://developer.work.weixin.qq.com/document/path/90968 (WXBizMsgCrypt)
 */
export class CallbackCrypt {
  readonly #adapter: string
  readonly #token: string
  readonly #key: Buffer
  readonly #receiveId: string

  /** @throws {AdapterError} `wecom.option_invalid`: the key is not 43 characters of base64. `adapter` begins the codes of errors. */
  constructor({ token, encodingAesKey, receiveId }: CallbackKeys, adapter = 'wecom') {
    const key = Buffer.from(`${encodingAesKey}=`, 'base64')
    if (!/^[A-Za-z0-9+/]{43}$/.test(encodingAesKey) || key.length !== BLOCK) {
      throw new AdapterError(`${adapter}.option_invalid`, 'encodingAesKey must be the 43 characters of the console.')
    }
    this.#adapter = adapter
    this.#token = token
    this.#key = key
    this.#receiveId = receiveId
  }

  /** The `msg_signature` of an encrypted text. */
  sign(timestamp: string, nonce: string, encrypted: string): string {
    return signatureOf(this.#token, timestamp, nonce, encrypted)
  }

  /** Checks the signature and decrypts. @throws {NotVerified} */
  open(signature: string, timestamp: string, nonce: string, encrypted: string): string {
    if (!isKey(signature, this.sign(timestamp, nonce, encrypted))) throw new NotVerified(this.#adapter)
    const { message, receiveId } = this.#decrypt(encrypted)
    if (receiveId !== this.#receiveId) throw new NotVerified(this.#adapter)
    return message
  }

  /** Encrypts an answer. `random`: 16 bytes, for tests; fresh ones when left out. */
  seal(message: string, random: Buffer = randomBytes(RANDOM_BYTES)): string {
    const body = Buffer.from(message)
    const length = Buffer.alloc(LENGTH_BYTES)
    length.writeUInt32BE(body.length)
    const plain = Buffer.concat([random, length, body, Buffer.from(this.#receiveId)])
    const pad = BLOCK - (plain.length % BLOCK)
    const cipher = createCipheriv('aes-256-cbc', this.#key, this.#key.subarray(0, 16)).setAutoPadding(false)
    return Buffer.concat([cipher.update(plain), cipher.update(Buffer.alloc(pad, pad)), cipher.final()]).toString(
      'base64',
    )
  }

  #decrypt(encrypted: string): { readonly message: string; readonly receiveId: string } {
    const bytes = Buffer.from(encrypted, 'base64')
    if (bytes.length === 0 || bytes.length % BLOCK !== 0) throw new NotVerified(this.#adapter)
    // Padded to 32 bytes, which is not what Node takes off by itself.
    const decipher = createDecipheriv('aes-256-cbc', this.#key, this.#key.subarray(0, 16)).setAutoPadding(false)
    const padded = Buffer.concat([decipher.update(bytes), decipher.final()])
    const pad = padded.at(-1) ?? 0
    if (pad < 1 || pad > BLOCK) throw new NotVerified(this.#adapter)
    const plain = padded.subarray(RANDOM_BYTES, padded.length - pad)
    if (plain.length < LENGTH_BYTES) throw new NotVerified(this.#adapter)
    const end = LENGTH_BYTES + plain.readUInt32BE(0)
    if (end > plain.length) throw new NotVerified(this.#adapter)
    return { message: plain.toString('utf8', LENGTH_BYTES, end), receiveId: plain.toString('utf8', end) }
  }
}
