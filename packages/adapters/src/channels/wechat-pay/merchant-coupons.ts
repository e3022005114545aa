import { createHmac } from 'node:crypto'
import { optionInvalid } from '../../http/errors.js'
import { requireSecret, requireText, type Secret } from '../../http/secret.js'
import { ADAPTER } from '../../wechat-pay/names.js'

/** One merchant coupon (商家券) that a person may take. */
export interface MerchantCoupon {
  readonly stockId: string
  /** Unique for each coupon that is to be given: a second one under the same is not given. */
  readonly outRequestNo: string
  /** Its code, where the stock's codes are given when it is sent (`MERCHANT_API`). */
  readonly couponCode?: string
}

export interface MerchantCouponOptions {
  /** The merchant that gives it (发券商户号). */
  readonly mchId: string
  /** The merchant's APIv2 key (API密钥), not the APIv3 key. */
  readonly apiKey: string | Secret
}

/** What the plugin `sendCoupon` of a mini-program takes, in the names that it has there. */
export interface MerchantCouponParams {
  readonly send_coupon_params: readonly Readonly<Record<string, string>>[]
  readonly send_coupon_merchant: string
  readonly sign: string
}

const MOST_AT_ONCE = 10
const PAGE = 'https://action.weixin.qq.com/busifavor/getcouponinfo'

/**
 * What a mini-program hands to WeChat Pay's plugin, so that the person may take 1 to 10 merchant coupons (小程序发券插件).
 * The key stays on the server. Whether they took them is told by nobody here: no server of a shop can give merchant coupons.
 *
 * Wire format: https://pay.weixin.qq.com/wiki/doc/apiv3/apis/chapter9_3_1.shtml
 *
 * @throws {AdapterError} `wechat-pay.option_invalid`
 */
export function merchantCouponParams(
  options: MerchantCouponOptions,
  coupons: readonly MerchantCoupon[],
): MerchantCouponParams {
  if (coupons.length < 1 || coupons.length > MOST_AT_ONCE) {
    throw optionInvalid(ADAPTER, 'coupons', `a list of ${coupons.length}`, `1 to ${MOST_AT_ONCE} coupons`)
  }
  const params = coupons.map(wireOf)
  const flat = Object.fromEntries(
    params.flatMap((one, index) => Object.entries(one).map(([name, value]) => [`${name}${index}`, value])),
  )
  const sign = signed(options, { ...flat, send_coupon_merchant: options.mchId })
  return { send_coupon_params: params, send_coupon_merchant: options.mchId, sign }
}

/**
 * A page of WeChat Pay in which the person may take one merchant coupon (H5发券). It opens in WeChat.
 *
 * Wire format: https://pay.weixin.qq.com/wiki/doc/apiv3/apis/chapter9_4_1.shtml
 *
 * @throws {AdapterError} `wechat-pay.option_invalid`
 */
export function merchantCouponUrl(
  options: MerchantCouponOptions,
  { openid, ...coupon }: MerchantCoupon & { readonly openid: string },
): string {
  requireText(ADAPTER, 'openid', openid, 'an openid of an appid that is bound to the merchant')
  const fields = { ...wireOf(coupon), send_coupon_merchant: options.mchId, open_id: openid }
  const query = new URLSearchParams({ ...fields, sign: signed(options, fields) })
  return `${PAGE}?${query}#wechat_redirect`
}

function wireOf({ stockId, outRequestNo, couponCode }: MerchantCoupon): Readonly<Record<string, string>> {
  requireText(ADAPTER, 'stockId', stockId, 'the 批次号')
  requireText(ADAPTER, 'outRequestNo', outRequestNo, 'a number of its own for each coupon')
  const code = couponCode === undefined ? {} : { coupon_code: couponCode }
  return { stock_id: stockId, out_request_no: outRequestNo, ...code }
}

/** HMAC-SHA256 of APIv2: what has a value, in the order of its names, and the key at the end. */
function signed({ mchId, apiKey }: MerchantCouponOptions, fields: Readonly<Record<string, string>>): string {
  requireText(ADAPTER, 'mchId', mchId, 'the 商户号 that gives the coupon')
  const key = requireSecret(ADAPTER, 'apiKey', apiKey, 'the APIv2 key').reveal()
  const list = Object.entries(fields)
    .filter(([, value]) => value !== '')
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
  const text = [...list, `key=${key}`].join('&')
  return createHmac('sha256', key).update(text).digest('hex').toUpperCase()
}
