import type { JsonObject } from '../http/json.js'
import type { FakePayErrorName } from './fake-pay-errors.js'

/** A stock of coupons (批次). */
export interface FakeFavorStock {
  readonly stockId: string
  /** How many there are, and how many one person may have. Left out: no end. */
  readonly total?: number
  readonly perPerson?: number
  /** Default `running`. */
  readonly status?: 'unactivated' | 'audit' | 'running' | 'stoped' | 'paused'
  /** Default: in 30 days. */
  readonly availableUntil?: Date
}

/** A coupon that somebody has. */
export interface FakeFavorCoupon {
  readonly couponId: string
  readonly openid: string
  readonly stockId: string
  readonly outRequestNo: string
  /** The payment that it was used for. */
  usedBy?: string
}

const DAY_MS = 24 * 60 * 60 * 1000

/** The stocks and coupons of a fake WeChat Pay. */
export class FakeFavor {
  /** In the order in which they were given. */
  readonly coupons: FakeFavorCoupon[] = []
  readonly #stocks: ReadonlyMap<string, FakeFavorStock>

  constructor(stocks: readonly FakeFavorStock[]) {
    this.#stocks = new Map(stocks.map((stock) => [stock.stockId, stock]))
  }

  /** One coupon for one `outRequestNo`, or why there is none. */
  give(openid: string, stockId: string, outRequestNo: string): FakeFavorCoupon | FakePayErrorName {
    const known = this.coupons.find((one) => one.outRequestNo === outRequestNo)
    if (known !== undefined) return known
    const stock = this.#stocks.get(stockId)
    if (stock === undefined) return 'RESOURCE_NOT_EXISTS'
    const { status = 'running', total = Number.POSITIVE_INFINITY, perPerson = Number.POSITIVE_INFINITY } = stock
    if (status !== 'running') return 'REQUEST_BLOCKED'
    const given = this.coupons.filter((one) => one.stockId === stockId)
    if (given.length >= total) return 'NOT_ENOUGH'
    if (given.filter((one) => one.openid === openid).length >= perPerson) return 'RULE_LIMIT'
    const coupon = { couponId: String(9_867_000_000 + this.coupons.length), openid, stockId, outRequestNo }
    this.coupons.push(coupon)
    return coupon
  }

  find(couponId: string): FakeFavorCoupon | undefined {
    return this.coupons.find((one) => one.couponId === couponId)
  }

  /** A coupon as queries and notices have it. */
  describe({ couponId, stockId, usedBy }: FakeFavorCoupon): JsonObject {
    const used = { consume_time: new Date().toISOString(), transaction_id: usedBy }
    return {
      stock_id: stockId,
      coupon_id: couponId,
      status: usedBy === undefined ? 'SENDED' : 'USED',
      available_end_time: endOf(this.#stocks.get(stockId)),
      normal_coupon_information: { coupon_amount: 500, transaction_minimum: 1000 },
      ...(usedBy !== undefined && { consume_information: used }),
    }
  }

  /** A stock as queries have it; undefined where there is none. */
  describeStock(stockId: string): JsonObject | undefined {
    const stock = this.#stocks.get(stockId)
    if (stock === undefined) return undefined
    return {
      stock_id: stockId,
      stock_name: '水果满减券',
      status: stock.status ?? 'running',
      available_end_time: endOf(stock),
      distributed_coupons: this.coupons.filter((one) => one.stockId === stockId).length,
      stock_use_rule: { max_coupons: stock.total, max_coupons_per_user: stock.perPerson },
    }
  }
}

function endOf(stock: FakeFavorStock | undefined): string {
  return (stock?.availableUntil ?? new Date(Date.now() + 30 * DAY_MS)).toISOString()
}
