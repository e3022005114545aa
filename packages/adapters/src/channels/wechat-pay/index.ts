// The merchant

export { AdapterError } from '../../http/errors.js'
export { Secret } from '../../http/secret.js'
export { WechatPay, type WechatPayOptions } from '../../wechat-pay/merchant.js'
export type { PlatformKey } from '../../wechat-pay/platform-keys.js'
export type { MerchantOptions } from '../../wechat-pay/signing.js'
// Coupons of WeChat Pay
export { type FavorCouponsOptions, favorCoupons, outRequestNo } from './favor-coupons.js'
export {
  type FavorCoupon,
  type FavorCouponQuery,
  type FavorStock,
  type FavorStockQuery,
  queryFavorCoupon,
  queryFavorStock,
} from './favor-queries.js'
export { FAVOR_MEANINGS, type PayMeaning, type PayMeanings } from './meanings.js'
// Coupons of the merchant
export {
  type MerchantCoupon,
  type MerchantCouponOptions,
  type MerchantCouponParams,
  merchantCouponParams,
  merchantCouponUrl,
} from './merchant-coupons.js'
