import { AdapterError } from '../../http/errors.js'
import { asObject, type JsonObject } from '../../http/json.js'
import { textOf } from '../../wechat/results.js'
import type { WechatPay } from '../../wechat-pay/merchant.js'
import { ADAPTER } from '../../wechat-pay/names.js'
import { saidIn } from './meanings.js'

/** A coupon as WeChat Pay sees it. */
export interface FavorCoupon {
  readonly stockId: string
  /** `SENDED`: it may be used. `USED`, `EXPIRED`. */
  readonly status: string
  readonly availableFrom?: Date
  readonly availableUntil?: Date
  /** When it was used, and for which payment. */
  readonly usedAt?: Date
  readonly transactionId?: string
}

/** A stock (批次) as WeChat Pay sees it. */
export interface FavorStock {
  readonly name: string
  /** `unactivated`, `audit`, `running`, `stoped` (so WeChat Pay writes it), `paused`. */
  readonly status: string
  readonly availableFrom?: Date
  readonly availableUntil?: Date
  /** How many were given. */
  readonly distributed?: number
  /** How many there may ever be, and how many one person may have. */
  readonly maxCoupons?: number
  readonly maxPerPerson?: number
}

export interface FavorCouponQuery {
  readonly appId: string
  readonly openid: string
  readonly couponId: string
  readonly signal?: AbortSignal
}

export interface FavorStockQuery {
  readonly stockId: string
  /** Default: the merchant that asks. */
  readonly stockCreatorMchId?: string
  readonly signal?: AbortSignal
}

/**
 * What has become of a coupon.
 *
 * Wire format: https://pay.weixin.qq.com/docs/merchant/apis/cash-coupons/coupon/query-coupon.html
 *
 * @throws {AdapterError} `wechat-pay.call_failed`
 */
export async function queryFavorCoupon(pay: WechatPay, query: FavorCouponQuery): Promise<FavorCoupon> {
  const { appId, openid, couponId, signal } = query
  const path = `/v3/marketing/favor/users/${encodeURIComponent(openid)}/coupons/${encodeURIComponent(couponId)}`
  const json = await get(pay, `${path}?appid=${encodeURIComponent(appId)}`, signal)
  const used = asObject(json['consume_information']) ?? {}
  return {
    stockId: textOf(json['stock_id']) ?? '',
    status: textOf(json['status']) ?? '',
    ...dated('availableFrom', json['available_begin_time']),
    ...dated('availableUntil', json['available_end_time']),
    ...dated('usedAt', used['consume_time']),
    ...given('transactionId', textOf(used['transaction_id'])),
  }
}

/**
 * How much of a stock is left, and until when.
 *
 * Wire format: https://pay.weixin.qq.com/docs/merchant/apis/cash-coupons/stock/query-stock.html
 *
 * @throws {AdapterError} `wechat-pay.call_failed`
 */
export async function queryFavorStock(pay: WechatPay, query: FavorStockQuery): Promise<FavorStock> {
  const { stockId, stockCreatorMchId = pay.mchId, signal } = query
  const path = `/v3/marketing/favor/stocks/${encodeURIComponent(stockId)}`
  const json = await get(pay, `${path}?stock_creator_mchid=${encodeURIComponent(stockCreatorMchId)}`, signal)
  const rule = asObject(json['stock_use_rule']) ?? {}
  return {
    name: textOf(json['stock_name']) ?? '',
    status: textOf(json['status']) ?? '',
    ...dated('availableFrom', json['available_begin_time']),
    ...dated('availableUntil', json['available_end_time']),
    ...given('distributed', countOf(json['distributed_coupons'])),
    ...given('maxCoupons', countOf(rule['max_coupons'])),
    ...given('maxPerPerson', countOf(rule['max_coupons_per_user'])),
  }
}

async function get(pay: WechatPay, target: string, signal = new AbortController().signal): Promise<JsonObject> {
  const outcome = await pay.call({ target, signal })
  if (outcome.kind === 'done') return outcome.json
  const said = outcome.kind === 'refused' ? saidIn(outcome) : outcome.code
  throw new AdapterError(`${ADAPTER}.call_failed`, `WeChat Pay did not answer the query: ${said}.`, outcome.code)
}

function dated<Name extends string>(name: Name, value: unknown): Partial<Record<Name, Date>> {
  const at = typeof value === 'string' ? new Date(value) : undefined
  return given(name, at === undefined || Number.isNaN(at.getTime()) ? undefined : at)
}

function given<Name extends string, T>(name: Name, value: T | undefined): Partial<Record<Name, T>> {
  return value === undefined ? {} : ({ [name]: value } as Record<Name, T>)
}

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined
}
