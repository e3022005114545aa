import { createHash } from 'node:crypto'
import type { CouponIssuer, IssueResult, Recipient, SendContext } from '@linli/core'
import { optionInvalid } from '../../http/errors.js'
import { codeOf as networkCodeOf } from '../../http/request.js'
import { requireText } from '../../http/secret.js'
import { Turns } from '../../http/turns.js'
import { textOf } from '../../wechat/results.js'
import type { WechatPay } from '../../wechat-pay/merchant.js'
import { ADAPTER } from '../../wechat-pay/names.js'
import { queryFavorCoupon } from './favor-queries.js'
import { issued, type PayMeanings } from './meanings.js'

export interface FavorCouponsOptions {
  readonly pay: WechatPay
  /** The appid whose openids people have: a mini-program's or an official account's, bound to the merchant. */
  readonly appId: string
  /** Who created the stocks. Default: the merchant itself. */
  readonly stockCreatorMchId?: string
  /** The issuer's name in offers. Default `wechat-pay`. */
  readonly name?: string
  /** The person's openid under `appId`. Default: the trait `openid`. */
  readonly address?: (to: Recipient) => unknown
  /**
   * For how many milliseconds a call of unknown outcome is repeated by itself. WeChat Pay says that repeats of an
   * `out_request_no` give the same coupon, and not for how long. Default: 24 hours.
   */
  readonly repeatWindowMs?: number
  /** Whether each coupon is asked for when it ends, by one more call. Default false. */
  readonly readsExpiry?: boolean
  /** At most so many calls, in any so many milliseconds. Default: 500 a second, as WeChat Pay allows. */
  readonly rate?: { readonly max: number; readonly perMs: number }
  /** What errors mean here, before what linli knows of them: by word or by number. */
  readonly meanings?: PayMeanings
}

const DAY_MS = 24 * 60 * 60 * 1000
const LONGEST_STOCK = 20
/** What WeChat Pay takes as an `out_request_no`: letters, digits and `| _ * -`, 128 at most. */
const OUT_REQUEST_NO = /^[A-Za-z0-9_|*-]{1,128}$/

/**
 * Gives coupons of WeChat Pay (代金券). An offer names it in `issuer`, and the stock (批次号) in `stock`; the code of a
 * coupon is its coupon_id.
 *
 * A call that was cut off is repeated under the same `out_request_no`, which gives the same coupon. A process makes one call at a
 * time for one person and one stock: WeChat Pay answers several at once with a limit that nobody has reached.
 *
 * Wire format: https://pay.weixin.qq.com/doc/v3/merchant/4012463767
 *
 * @throws {AdapterError} `wechat-pay.option_invalid`
 */
export function favorCoupons(options: FavorCouponsOptions): CouponIssuer {
  const { pay, appId, name = ADAPTER, repeatWindowMs = DAY_MS, meanings = {}, readsExpiry = false } = options
  const { stockCreatorMchId = pay.mchId, rate = { max: 500, perMs: 1000 } } = options
  const address = options.address ?? ((to: Recipient) => to.traits['openid'])
  requireText(ADAPTER, 'appId', appId, 'an appid that is bound to the merchant')
  requireText(ADAPTER, 'name', name, 'the name that offers use')
  if (!(Number.isSafeInteger(repeatWindowMs) && repeatWindowMs > 0)) {
    throw optionInvalid(ADAPTER, 'repeatWindowMs', String(repeatWindowMs), 'a whole number of milliseconds from 1')
  }
  const turns = new Turns()
  return {
    name,
    repeat: { kind: 'idempotent', windowMs: repeatWindowMs },
    rate,
    async issue({ grantKey, stock = '', to }, context) {
      const openid = textOf(address(to))
      if (openid === undefined) return noAddress()
      if (stock === '' || stock.length > LONGEST_STOCK) return noStock()
      const call = {
        target: `/v3/marketing/favor/users/${encodeURIComponent(openid)}/coupons`,
        body: {
          stock_id: stock,
          out_request_no: outRequestNo(grantKey),
          appid: appId,
          stock_creator_mchid: stockCreatorMchId,
        },
        signal: context.signal,
      }
      const outcome = await turns
        .run(JSON.stringify([openid, stock]), context.signal, () => pay.call(call))
        .catch((reason: unknown) => ({ kind: 'not_sent' as const, code: networkCodeOf(reason) }))
      const result = issued(outcome, context, meanings, ({ coupon_id: id }) => textOf(id))
      if (!readsExpiry || result.status !== 'accepted') return result
      return withExpiry(pay, { appId, openid, couponId: result.code }, context, result)
    },
  }
}

/** What a grant is called at WeChat Pay: its key, or a hash of it where WeChat Pay does not take the key. Always the same for the same key. */
export function outRequestNo(grantKey: string): string {
  if (OUT_REQUEST_NO.test(grantKey)) return grantKey
  return `linli-${createHash('sha256').update(grantKey).digest('hex')}`
}

/** The coupon is the person's, whether or not anybody says how long it is good for. */
async function withExpiry(
  pay: WechatPay,
  coupon: { readonly appId: string; readonly openid: string; readonly couponId: string },
  { signal }: SendContext,
  result: Extract<IssueResult, { status: 'accepted' }>,
): Promise<IssueResult> {
  const found = await queryFavorCoupon(pay, { ...coupon, signal }).catch(() => undefined)
  return found?.availableUntil === undefined ? result : { ...result, expiresAt: found.availableUntil }
}

function noAddress(): IssueResult {
  return { status: 'refused', reason: 'recipient', detail: `${ADAPTER}.no_address: no openid` }
}

function noStock(): IssueResult {
  const detail = `${ADAPTER}.no_stock: the offer's stock should be the 批次号, of 1 to ${LONGEST_STOCK} characters`
  return { status: 'refused', reason: 'configuration', detail }
}
