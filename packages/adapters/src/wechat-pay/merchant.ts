import { startDeadline } from '../http/deadline.js'
import { type JsonObject, parseObject } from '../http/json.js'
import { requireUrl } from '../http/options.js'
import { exchange, type HttpAnswer, type HttpRequest } from '../http/request.js'
import { ADAPTER } from './names.js'
import { type PlatformKey, PlatformKeys, SIGNATURE_HEADERS } from './platform-keys.js'
import { freshNonce, type MerchantOptions, MerchantSigner } from './signing.js'

export interface WechatPayOptions extends MerchantOptions {
  /** What WeChat Pay signs its answers with. List the old and the new one while they change. */
  readonly platformKeys: readonly PlatformKey[]
  /** Default `https://api.mch.weixin.qq.com`. `https://api2.mch.weixin.qq.com` is the one to turn to when that is away. */
  readonly baseUrl?: string
  /** The longest one call may take, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number
}

/** What is known after a call. */
export type PayOutcome =
  /** It is done: 2xx, and signed by WeChat Pay. */
  | { readonly kind: 'done'; readonly json: JsonObject }
  /** It was refused: 4xx. */
  | PayRefusal
  /** Certainly not one byte of it was sent. */
  | { readonly kind: 'not_sent'; readonly code: string }
  /** It may have been done. */
  | { readonly kind: 'unknown'; readonly code: string }

export interface PayRefusal {
  readonly kind: 'refused'
  readonly status: number
  /** WeChat Pay's word for it, such as `RULE_LIMIT`; empty where it gives none. */
  readonly code: string
  /** The number at the end of the answer's `Request-ID`, which tells more than the word. */
  readonly number?: number
  /** Its sentence in Chinese. It may name a person's data: never log it. */
  readonly message: string
  readonly retryAfter?: string
}

export interface PayCall {
  /** Path and query, encoded. */
  readonly target: string
  /** Left out: a GET. */
  readonly body?: JsonObject
  readonly signal: AbortSignal
}

const DEFAULT_TIMEOUT_MS = 10_000
const REQUEST_ID = 'request-id'
/** `08E7CAC2880610…-270079533`. */
const NUMBER_AT_THE_END = /-(\d{1,15})$/

/**
 * A merchant of WeChat Pay (微信支付 APIv3): what its issuers and queries call it by. Requests are signed; an answer of success
 * counts only with WeChat Pay's own signature.
 *
 * @throws {AdapterError} `wechat-pay.option_invalid`
 */
export class WechatPay {
  readonly mchId: string
  readonly #signer: MerchantSigner
  readonly #platformKeys: PlatformKeys
  readonly #baseUrl: URL
  readonly #timeoutMs: number

  constructor(options: WechatPayOptions) {
    const { baseUrl = 'https://api.mch.weixin.qq.com', timeoutMs = DEFAULT_TIMEOUT_MS, platformKeys } = options
    this.#signer = new MerchantSigner(options)
    this.#platformKeys = new PlatformKeys(platformKeys)
    this.#baseUrl = requireUrl(ADAPTER, 'baseUrl', baseUrl)
    this.#timeoutMs = timeoutMs
    this.mchId = options.mchId
  }

  /** Makes one call. Never rejects. */
  async call(call: PayCall): Promise<PayOutcome> {
    const deadline = startDeadline(call.signal, this.#timeoutMs)
    try {
      const wantsHeaders = [...SIGNATURE_HEADERS, REQUEST_ID]
      const outcome = await exchange({ ...this.#signed(call), signal: deadline.signal, wantsText: true, wantsHeaders })
      return outcome.kind === 'answered' ? this.#outcomeOf(outcome) : outcome
    } finally {
      deadline.clear()
    }
  }

  #signed({ target, body: json }: PayCall): Omit<HttpRequest, 'signal'> {
    const url = new URL(target, this.#baseUrl)
    const method = json === undefined ? 'GET' : 'POST'
    const body = json === undefined ? '' : JSON.stringify(json)
    const timestamp = Math.floor(Date.now() / 1000)
    const signed = { method, target: `${url.pathname}${url.search}`, timestamp, nonce: freshNonce(), body } as const
    const headers = {
      authorization: this.#signer.authorization(signed),
      accept: 'application/json',
      'user-agent': 'linli',
      ...(json !== undefined && { 'content-type': 'application/json' }),
    }
    return { url, method, headers, ...(json !== undefined && { body }) }
  }

  #outcomeOf({ status, text = '', headers = {}, retryAfter }: HttpAnswer): PayOutcome {
    if (status >= 200 && status < 300) {
      const found = this.#platformKeys.check((name) => headers[name], text, Date.now())
      if (found !== 'signed') return { kind: 'unknown', code: found }
      const json = text === '' ? {} : parseObject(text)
      return json === undefined ? { kind: 'unknown', code: 'NO_JSON' } : { kind: 'done', json }
    }
    // 408: whoever stands in between gave up waiting.
    if (status < 400 || status >= 500 || status === 408) return { kind: 'unknown', code: `HTTP_${status}` }
    const number = NUMBER_AT_THE_END.exec(headers[REQUEST_ID] ?? '')?.[1]
    const { code, message } = parseObject(text) ?? {}
    return {
      kind: 'refused',
      status,
      code: typeof code === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(code) ? code : '',
      message: typeof message === 'string' ? message : '',
      ...(number !== undefined && { number: Number(number) }),
      ...(retryAfter !== undefined && { retryAfter }),
    }
  }
}
