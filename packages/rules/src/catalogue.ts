/** An event that community shops have in common. Events that are not here are as welcome. */
export interface CatalogueEvent {
  /** What it says, in a sentence. */
  readonly says: string
  /** Its name in Chinese, for those who write rules. */
  readonly name: string
  /** Properties that it usually has, and what they say. */
  readonly properties: Readonly<Record<string, string>>
}

const ORDER = { orderId: 'Which order.', total: 'What it came to, in yuan.', items: 'Its lines, a list.' }
const ITEM = { sku: 'Which product.', productName: 'Its name.', category: 'Its category.', price: 'In yuan.' }
const GROUP_BUY = { groupBuyId: 'Which group-buy.', sku: 'What is bought together.' }
const COUPON = { couponId: 'Which coupon.', offer: 'The offer it is of.', value: 'What it is worth, in yuan.' }
const SUBSCRIPTION = { templateId: 'Which template of the mini-program.', scene: 'Where: `popup` or `settings`.' }
const TICKET = { ticketId: 'Which ticket.', orderId: 'The order it is about.', reason: 'Why, in a word.' }

/**
 * What happens in a community shop, by the names that sources give it and rules ask for. Properties are in camelCase,
 * `items` is a list of lines with `sku`, `category`, `price` and `quantity`, and money is in yuan.
 */
export const EVENT_CATALOGUE = {
  app_opened: { name: '打开小程序', says: 'Somebody opened the mini-program.', properties: { scene: 'Where from.' } },
  page_viewed: {
    name: '浏览页面',
    says: 'Somebody looked at a page.',
    properties: { page: 'Its path.', title: 'Its title.', referrer: 'Where from.', scene: 'Where from, in WeChat.' },
  },
  page_left: {
    name: '离开页面',
    says: 'Somebody left a page.',
    properties: { page: 'Its path.', seconds: 'How long.' },
  },
  element_clicked: { name: '点击', says: 'Somebody tapped.', properties: { page: 'Where.', element: 'What.' } },
  products_searched: { name: '搜索商品', says: 'Somebody searched.', properties: { query: 'For what.' } },
  product_viewed: { name: '查看商品', says: 'Somebody looked at a product.', properties: ITEM },
  product_shared: { name: '分享商品', says: 'Somebody shared a product.', properties: ITEM },
  cart_added: {
    name: '加入购物车',
    says: 'A product went into the cart.',
    properties: { ...ITEM, cartId: 'Which cart.' },
  },
  cart_removed: {
    name: '移出购物车',
    says: 'A product was taken out of the cart.',
    properties: { ...ITEM, cartId: 'Which cart.' },
  },
  checkout_started: { name: '去结算', says: 'Somebody began to check out.', properties: ORDER },
  order_placed: { name: '提交订单', says: 'An order was placed; it is not paid yet.', properties: ORDER },
  order_paid: { name: '支付订单', says: 'An order was paid.', properties: ORDER },
  order_cancelled: { name: '取消订单', says: 'An order was cancelled before it was paid.', properties: ORDER },
  order_arrived: { name: '到货待提', says: 'An order is at the leader’s, to be picked up.', properties: ORDER },
  order_picked_up: { name: '提货核销', says: 'An order was picked up.', properties: ORDER },
  order_refunded: { name: '退款', says: 'An order was paid back, all of it or in part.', properties: ORDER },
  group_buy_started: { name: '发起拼团', says: 'Somebody began a group-buy.', properties: GROUP_BUY },
  group_buy_joined: { name: '参与拼团', says: 'Somebody joined a group-buy.', properties: GROUP_BUY },
  group_buy_short: {
    name: '还差人成团',
    says: 'A group-buy lacks people.',
    properties: { ...GROUP_BUY, missing: 'How many are missing.' },
  },
  group_buy_closed: { name: '截单', says: 'A group-buy takes no more orders.', properties: GROUP_BUY },
  coupon_received: { name: '领取优惠券', says: 'Somebody got a coupon elsewhere.', properties: COUPON },
  coupon_redeemed: {
    name: '使用优惠券',
    says: 'A coupon was used.',
    properties: { ...COUPON, orderId: 'For which order.' },
  },
  coupon_expired: { name: '优惠券过期', says: 'A coupon ran out.', properties: COUPON },
  points_earned: { name: '获得积分', says: 'Somebody earned points.', properties: { points: 'How many.' } },
  points_spent: { name: '使用积分', says: 'Somebody spent points.', properties: { points: 'How many.' } },
  signed_in_daily: {
    name: '每日签到',
    says: 'Somebody signed in for the day.',
    properties: { days: 'How many in a row.' },
  },
  live_entered: { name: '进入直播', says: 'Somebody came to a live stream.', properties: { liveId: 'Which one.' } },
  live_left: {
    name: '离开直播',
    says: 'Somebody left it.',
    properties: { liveId: 'Which one.', seconds: 'How long.' },
  },
  member_joined: {
    name: '加入社群',
    says: 'Somebody joined a group.',
    properties: { communityId: 'Which one.', scene: 'How: `invited`, `link` or `code`.' },
  },
  member_left: {
    name: '退出社群',
    says: 'Somebody left a group.',
    properties: { communityId: 'Which one.', by: '`self`, `removed` or `dismissed`, where that is known.' },
  },
  group_message_sent: {
    name: '群内发言',
    says: 'Somebody wrote in a group.',
    properties: { communityId: 'In which one.' },
  },
  contact_added: {
    name: '添加好友',
    says: 'Somebody became a contact of a member.',
    properties: { memberUserId: 'Of whom.', state: 'By which code.' },
  },
  contact_lost: {
    name: '删除好友',
    says: 'Somebody is a contact no more.',
    properties: { memberUserId: 'Of whom.', by: '`customer` or `member`.' },
  },
  contact_edited: {
    name: '修改客户信息',
    says: 'A member changed what they noted of a contact: the remark, tags, phone numbers.',
    properties: { memberUserId: 'Who.' },
  },
  subscribe_accepted: {
    name: '允许订阅消息',
    says: 'Somebody allowed one message of a template.',
    properties: SUBSCRIPTION,
  },
  subscribe_rejected: {
    name: '拒收订阅消息',
    says: 'Somebody wants no messages of a template.',
    properties: SUBSCRIPTION,
  },
  link_clicked: { name: '点击链接', says: 'Somebody followed a link.', properties: { link: 'Which one.' } },
  ticket_opened: { name: '发起售后', says: 'Somebody complained, or wants to return.', properties: TICKET },
  ticket_closed: { name: '售后完成', says: 'A complaint was settled.', properties: TICKET },
} as const satisfies Readonly<Record<string, CatalogueEvent>>

/** The name of an event in the catalogue. */
export type CatalogueEventName = keyof typeof EVENT_CATALOGUE
