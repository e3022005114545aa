import { type CatalogueEventName, EVENT_CATALOGUE } from '@linli/core'

/** What order systems commonly call the events of the catalogue, without capitals and signs: `PayOrder`, `pay_order`, `order.pay` … */
const USUAL: Partial<Readonly<Record<CatalogueEventName, readonly string[]>>> = {
  app_opened: ['launch', 'mplaunch', 'openapp'],
  page_viewed: ['pageview', 'viewpage'],
  products_searched: ['search', 'searchproduct', 'searchgoods', 'productsearch'],
  product_viewed: ['viewproduct', 'productview', 'viewitem', 'viewgoods', 'goodsview', 'productdetailview'],
  product_shared: ['shareproduct', 'productshare', 'sharegoods', 'goodsshare'],
  cart_added: ['addtocart', 'addcart', 'cartadd', 'addtoshoppingcart', 'productadded'],
  cart_removed: ['removefromcart', 'removecart', 'cartremove', 'deletefromcart', 'productremoved'],
  checkout_started: ['checkout', 'begincheckout', 'startcheckout', 'initiatecheckout', 'settlement'],
  order_placed: [
    'submitorder',
    'ordersubmit',
    'createorder',
    'ordercreate',
    'ordercreated',
    'placeorder',
    'ordersubmitted',
  ],
  order_paid: ['payorder', 'orderpay', 'paysuccess', 'payment', 'paymentsuccess', 'orderpayment', 'payorderdetail'],
  order_cancelled: ['cancelorder', 'ordercancel', 'ordercanceled', 'closeorder', 'orderclose', 'orderclosed'],
  order_arrived: ['arriveorder', 'orderarrive', 'pickuparrived', 'arrivedatleader'],
  order_picked_up: [
    'pickuporder',
    'orderpickup',
    'pickup',
    'pickupdone',
    'verifyorder',
    'orderverify',
    'orderverified',
  ],
  order_refunded: ['refundorder', 'orderrefund', 'refund', 'refundsuccess', 'refunded'],
  group_buy_started: ['opengroupbuy', 'groupbuyopen', 'startgroupbuy', 'opengroup'],
  group_buy_joined: ['joingroupbuy', 'groupbuyjoin', 'joingroup', 'jielong'],
  group_buy_closed: ['closegroupbuy', 'groupbuycutoff', 'cutoff'],
  coupon_received: ['receivecoupon', 'couponreceive', 'getcoupon', 'claimcoupon'],
  coupon_redeemed: ['usecoupon', 'couponuse', 'couponused', 'redeemcoupon'],
  coupon_expired: ['expirecoupon', 'couponexpire'],
}

const BY_PLAIN_NAME: ReadonlyMap<string, string> = new Map(
  Object.keys(EVENT_CATALOGUE).flatMap((event) =>
    [event, ...(USUAL[event as CatalogueEventName] ?? [])].map((one): [string, string] => [plain(one), event]),
  ),
)

/** The catalogue's name of an event that is called so elsewhere; or else its own. */
export function usualName(event: string): string {
  return BY_PLAIN_NAME.get(plain(event)) ?? event
}

function plain(event: string): string {
  return event.toLowerCase().replaceAll(/[\s._:/-]/g, '')
}
