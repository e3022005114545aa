import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { type JsonObject, parseObject } from '../http/json.js'
import { FakeFavor, type FakeFavorCoupon, type FakeFavorStock } from './fake-favor.js'
import { FAKE_PAY_ERRORS, type FakePayError, type FakePayErrorName } from './fake-pay-errors.js'
import { FakePayKeys, type FakePaySignature, sealed } from './fake-pay-keys.js'
import { FakePayMerchant } from './fake-pay-merchant.js'
import { FakePlatform } from './fake-platform.js'
import type { FakeAnswer, FakeRequest } from './fake-server.js'

export interface FakeWechatPayOptions {
  readonly mchId?: string
  readonly appId?: string
  /** Default: one, `9865000`, without an end. */
  readonly stocks?: readonly FakeFavorStock[]
  readonly port?: number
}

/** What a notice may say besides. */
export interface FakeNoticeOptions {
  /** Default: a new one. Two of one id are the same notice, sent again. */
  readonly id?: string
  readonly signature?: FakePaySignature
}

const USERS = /^\/v3\/marketing\/favor\/users\/([^/]+)\/coupons(?:\/([^/]+))?$/
const STOCKS = /^\/v3\/marketing\/favor\/stocks\/([^/]+)$/

/**
 * A WeChat Pay on this machine, for tests of issuers and of shops that use them: it checks the signature of each request, signs its
 * answers, gives one coupon for one `out_request_no`, and writes notices. Nothing of it reaches WeChat Pay.
 *
 * @example
 * const wechatPay = await startFakeWechatPay()
 * const { merchant, platformKeys, url } = wechatPay
 * const pay = new WechatPay({ ...merchant, platformKeys, baseUrl: url })
 */
export async function startFakeWechatPay(options: FakeWechatPayOptions = {}): Promise<FakeWechatPay> {
  const wechatPay = new FakeWechatPay(options)
  await wechatPay.listen(options.port)
  return wechatPay
}

export class FakeWechatPay extends FakePlatform {
  readonly appId: string
  readonly apiV3Key = randomBytes(16).toString('hex')
  /** What a merchant is known by. */
  readonly merchant: { readonly mchId: string; readonly serialNo: string; readonly privateKey: string }
  /** For how many milliseconds it thinks about each coupon. Default 0. */
  slowMs = 0
  readonly #keys = new FakePayKeys()
  readonly #merchant: FakePayMerchant
  readonly #favor: FakeFavor
  readonly #underWay = new Set<string>()
  #signature: FakePaySignature = 'right'

  constructor(options: FakeWechatPayOptions) {
    super()
    const { mchId = '1900000109', appId = 'wx-fake', stocks = [{ stockId: '9865000' }] } = options
    this.#merchant = new FakePayMerchant(mchId)
    const { serialNo, privateKey } = this.#merchant
    this.merchant = { mchId, serialNo, privateKey }
    this.#favor = new FakeFavor(stocks)
    this.appId = appId
  }

  /** The coupons that people have, in the order in which they were given. */
  get coupons(): readonly FakeFavorCoupon[] {
    return this.#favor.coupons
  }

  /** What it signs answers and notices with, also before it was changed. */
  get platformKeys(): readonly { readonly id: string; readonly publicKey: string }[] {
    return this.#keys.platformKeys
  }

  /** Signs with a new key from now on. */
  rotateKey(): void {
    this.#keys.rotate()
  }

  /** Signs its next answer so. */
  signNext(how: FakePaySignature): void {
    this.#signature = how
  }

  /** Refuses the next request by this error; nothing is done. */
  refuseNext(name: FakePayErrorName, changes: Partial<FakePayError> = {}): void {
    this.next(this.#refusal({ ...FAKE_PAY_ERRORS[name], ...changes }))
  }

  /** A notice, as the request that WeChat Pay would send to `url`. */
  notice(type: string, resource: JsonObject, url: string, options: FakeNoticeOptions = {}): Request {
    const { id = `EV-${randomBytes(9).toString('hex')}`, signature = 'right' } = options
    const body = JSON.stringify({
      id,
      create_time: new Date().toISOString(),
      event_type: type,
      resource_type: 'encrypt-resource',
      summary: '通知',
      resource: sealed(resource, this.apiV3Key, type.split('.')[0]?.toLowerCase() ?? ''),
    })
    const headers = { 'content-type': 'application/json', ...this.#keys.headers(body, signature) }
    return new Request(url, { method: 'POST', headers, body })
  }

  /** Somebody uses a coupon with a payment. Gives the notice that tells of it. */
  use(couponId: string, transactionId: string, url: string, options?: FakeNoticeOptions): Request {
    const coupon = this.#favor.find(couponId)
    if (coupon === undefined) throw new RangeError('There is no such coupon.')
    coupon.usedBy = transactionId
    return this.notice('COUPON.USE', this.#favor.describe(coupon), url, options)
  }

  protected async answer(request: FakeRequest): Promise<FakeAnswer> {
    if (!this.#merchant.hasSigned(request)) return this.#refusal(FAKE_PAY_ERRORS.SIGN_ERROR)
    const [, user = '', couponId] = USERS.exec(request.path) ?? []
    const openid = decodeURIComponent(user)
    if (request.method === 'POST' && openid !== '') return this.#give(openid, parseObject(request.body) ?? {})
    const coupon = this.#favor.find(couponId ?? '')
    const found =
      coupon?.openid === openid && coupon !== undefined
        ? this.#favor.describe(coupon)
        : this.#favor.describeStock(STOCKS.exec(request.path)?.[1] ?? '')
    return found === undefined ? this.#refusal(FAKE_PAY_ERRORS.RESOURCE_NOT_EXISTS) : this.#said(found)
  }

  async #give(openid: string, { stock_id: stockId, out_request_no: outRequestNo, appid }: JsonObject) {
    if (typeof outRequestNo !== 'string' || !/^[\w|*-]{1,128}$/.test(outRequestNo) || typeof stockId !== 'string') {
      return this.#refusal(FAKE_PAY_ERRORS.PARAM_ERROR)
    }
    if (appid !== this.appId) return this.#refusal(FAKE_PAY_ERRORS.APPID_MCHID_NOT_MATCH)
    const key = `${openid} ${stockId}`
    // As WeChat Pay does: several at once for one person look like too many.
    if (this.#underWay.has(key)) return this.#refusal(FAKE_PAY_ERRORS.RULE_LIMIT)
    this.#underWay.add(key)
    if (this.slowMs > 0) await wait(this.slowMs)
    this.#underWay.delete(key)
    const given = this.#favor.give(openid, stockId, outRequestNo)
    return typeof given === 'string' ? this.#refusal(FAKE_PAY_ERRORS[given]) : this.#said({ coupon_id: given.couponId })
  }

  #refusal({ status, code, message, number }: FakePayError): FakeAnswer {
    const { headers, ...answer } = this.#said({ code, message }, status)
    const requestId = `${randomBytes(16).toString('hex').toUpperCase()}-${number ?? 0}`
    return { ...answer, headers: { ...headers, 'request-id': requestId } }
  }

  #said(json: JsonObject, status = 200): FakeAnswer {
    const body = JSON.stringify(json)
    const how = this.#signature
    this.#signature = 'right'
    return { status, headers: { 'content-type': 'application/json', ...this.#keys.headers(body, how) }, body }
  }
}
