import type { IncomingEvent } from '@linli/core'
import { asObject, type JsonObject, parseObject } from '../../http/json.js'
import { textOf } from '../../wechat/results.js'
import { ADAPTER } from '../../wechat-pay/names.js'
import type { ResourceCipher } from '../../wechat-pay/resource.js'
import { idFor } from '../http/ids.js'

/** A notice of WeChat Pay, verified and decrypted. */
export interface PayNotice {
  /** The same however often it comes. */
  readonly id: string
  /** `TRANSACTION.SUCCESS`, `REFUND.SUCCESS`, `COUPON.USE` … */
  readonly type: string
  /** When WeChat Pay wrote it. */
  readonly at: Date
  readonly resource: JsonObject
}

/** Whom a notice is about. */
export interface PayPerson {
  readonly userId?: string
  /** An identifier of the type `openid`. */
  readonly openid?: string
}

/** Undefined where the text is no notice. @throws {NotDecrypted} */
export function noticeOf(text: string, cipher: ResourceCipher): PayNotice | undefined {
  const json = parseObject(text) ?? {}
  const [id, type] = [textOf(json['id']), textOf(json['event_type'])]
  if (id === undefined || type === undefined) return undefined
  return { id, type, at: timeOf(json['create_time']) ?? new Date(), resource: cipher.open(json['resource']) }
}

/** Who paid, where the notice says it; one of a refund or of a coupon does not. */
export function payerOf({ resource }: PayNotice): PayPerson | undefined {
  const openid = textOf(asObject(resource['payer'])?.['openid'])
  return openid === undefined ? undefined : { openid }
}

/** The event of a notice, under a name. Undefined where it tells of nothing that has happened. */
export function eventOf(notice: PayNotice, event: string, person: PayPerson): IncomingEvent | undefined {
  const told = READERS.get(notice.type)?.(notice.resource)
  if (told === undefined) return undefined
  const { userId, openid } = person
  return {
    event,
    // One payment is one event, also where it is told of under two ids.
    messageId: idFor(ADAPTER, `${notice.type} ${told.of ?? notice.id}`),
    timestamp: told.at ?? notice.at,
    ...(userId !== undefined && { userId }),
    ...(openid !== undefined && { context: { externalIds: [{ type: 'openid', id: openid }] } }),
    properties: Object.fromEntries(Object.entries(told.properties).filter(([, value]) => value !== undefined)),
  }
}

/** What a used coupon is called, for which payment, and when. Undefined where the notice does not name it. */
export function usedCoupon({ id, at, resource }: PayNotice) {
  const code = textOf(resource['coupon_id'])
  const used = asObject(resource['consume_information']) ?? {}
  const by = textOf(used['transaction_id']) ?? id
  return code === undefined ? undefined : { code, by, at: timeOf(used['consume_time']) ?? at }
}

interface Told {
  /** What it is about: the same in each notice of the same thing. */
  readonly of: string | undefined
  readonly at: Date | undefined
  readonly properties: JsonObject
}

const READERS: ReadonlyMap<string, (resource: JsonObject) => Told | undefined> = new Map([
  ['TRANSACTION.SUCCESS', paid],
  ['REFUND.SUCCESS', refunded],
  ['COUPON.USE', couponUsed],
])

function paid(resource: JsonObject): Told | undefined {
  if (resource['trade_state'] !== 'SUCCESS') return undefined
  const amount = asObject(resource['amount']) ?? {}
  const transactionId = textOf(resource['transaction_id'])
  return {
    of: transactionId,
    at: timeOf(resource['success_time']),
    properties: {
      orderId: textOf(resource['out_trade_no']),
      total: yuanOf(amount['total'], amount['currency']),
      paid: yuanOf(amount['payer_total'], amount['payer_currency']),
      transactionId,
    },
  }
}

function refunded(resource: JsonObject): Told | undefined {
  if (resource['refund_status'] !== 'SUCCESS') return undefined
  const amount = asObject(resource['amount']) ?? {}
  const refundId = textOf(resource['refund_id'])
  return {
    of: refundId,
    at: timeOf(resource['success_time']),
    properties: {
      orderId: textOf(resource['out_trade_no']),
      total: yuanOf(amount['total']),
      refunded: yuanOf(amount['refund']),
      refundId,
    },
  }
}

function couponUsed(resource: JsonObject): Told | undefined {
  const used = asObject(resource['consume_information']) ?? {}
  const couponId = textOf(resource['coupon_id'])
  const value = yuanOf(asObject(resource['normal_coupon_information'])?.['coupon_amount'])
  return {
    of: couponId,
    at: timeOf(used['consume_time']),
    properties: {
      couponId,
      value,
      stockId: textOf(resource['stock_id']),
      transactionId: textOf(used['transaction_id']),
    },
  }
}

/** Fen in yuan. The quotient of a whole number and 100 is the nearest number to its two decimals, so it prints and counts as these. */
function yuanOf(fen: unknown, currency: unknown = 'CNY'): number | undefined {
  return typeof fen === 'number' && Number.isSafeInteger(fen) && currency === 'CNY' ? fen / 100 : undefined
}

function timeOf(value: unknown): Date | undefined {
  const at = typeof value === 'string' ? new Date(value) : undefined
  return at === undefined || Number.isNaN(at.getTime()) ? undefined : at
}
