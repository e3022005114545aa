import type { IncomingEvent } from '@linli/core'
import type { JsonObject } from '../../http/json.js'
import { idFor } from '../http/ids.js'
import { type EventNames, nameOf } from '../http/names.js'

/** Events of Segment's e-commerce specification (V2), by the names of linli's catalogue. */
export const SEGMENT_NAMES: EventNames = {
  'Products Searched': 'products_searched',
  'Product Viewed': 'product_viewed',
  'Product Shared': 'product_shared',
  'Product Added': 'cart_added',
  'Product Removed': 'cart_removed',
  'Checkout Started': 'checkout_started',
  'Order Completed': 'order_paid',
  'Order Cancelled': 'order_cancelled',
  'Order Refunded': 'order_refunded',
  'Coupon Applied': 'coupon_redeemed',
  'Application Opened': 'app_opened',
}

/** Properties that have another name in the catalogue. */
const PROPERTIES: ReadonlyMap<string, string> = new Map([
  ['order_id', 'orderId'],
  ['cart_id', 'cartId'],
  ['coupon_id', 'couponId'],
  ['products', 'items'],
])

/** The calls of Segment's HTTP API that carry one record each. */
const KINDS: ReadonlySet<unknown> = new Set(['track', 'identify', 'group', 'alias', 'page', 'screen'])

/**
 * One record of Segment's specification as an event; undefined where it is to be dropped. `page` and `screen` become
 * `page_viewed`. What is malformed goes on as it is: the engine refuses it with a reason.
 *
 * Wire format: https://segment.com/docs/connections/spec/common/
 */
export function eventOf(record: JsonObject, names: EventNames, sentAt: unknown): IncomingEvent | undefined {
  const { type, event, properties, userId, anonymousId, traits, context, timestamp, previousId, groupId } = record
  const base = {
    ...(isGiven(userId) && { userId }),
    ...(isGiven(anonymousId) && { anonymousId }),
    ...(isGiven(timestamp) && { timestamp }),
    ...sentAtOf(record, sentAt),
    ...(isGiven(context) && { context }),
    messageId: record['messageId'] ?? idFor('segment', JSON.stringify(record)),
  }
  // Nothing is known of these values: the engine looks at every one.
  const made = (rest: JsonObject) => ({ ...base, ...rest }) as unknown as IncomingEvent
  switch (type) {
    case 'identify':
      return made({ type, traits: traits ?? {} })
    case 'group':
      return made({ type, groupId, traits: traits ?? {} })
    case 'alias':
      return made({ type, previousId })
    case 'page':
    case 'screen':
      return made({ type: 'track', event: 'page_viewed', properties: pageOf(record) })
    default: {
      const name = typeof event === 'string' ? nameOf(event, names, SEGMENT_NAMES) : event
      return name === undefined && typeof event === 'string'
        ? undefined
        : made({
            type: isGiven(type) && !KINDS.has(type) ? type : 'track',
            event: name,
            properties: renamed(properties),
          })
    }
  }
}

/** `originalTimestamp` says that somebody has corrected `timestamp` already. */
function sentAtOf({ originalTimestamp, sentAt: own }: JsonObject, batch: unknown): JsonObject {
  if (isGiven(originalTimestamp)) return { originalTimestamp }
  const sentAt = own ?? batch
  return isGiven(sentAt) ? { sentAt } : {}
}

function pageOf({ name, category, properties }: JsonObject): JsonObject {
  const given = renamed(properties) as JsonObject
  return {
    ...given,
    ...(isGiven(name) && { page: name }),
    ...(isGiven(category) && { category }),
    ...(!isGiven(name) && isGiven(given['path']) && { page: given['path'] }),
  }
}

function renamed(properties: unknown): unknown {
  if (typeof properties !== 'object' || properties === null || Array.isArray(properties)) return properties ?? {}
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => {
      const other = PROPERTIES.get(name)
      return [other === undefined || Object.hasOwn(properties, other) ? name : other, value]
    }),
  )
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}
