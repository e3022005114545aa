import type { Offer } from '@linli/rules'
import type { SubjectKey } from '../domain/subject.js'
import type { IssuedCoupon, Spending, StoreTransaction } from '../ports/store.js'

/** What is taken for one coupon: a place in the pool, its part of the budget, and a code where the shop has given some. */
export type Taken =
  | { readonly ok: true; readonly code?: string; readonly spent?: Spent }
  | { readonly ok: false; readonly reason: string; readonly facts: Readonly<Record<string, unknown>> }

/** What a coupon has taken of its offer's budget. */
export type Spent = Pick<Spending, 'amount' | 'slot'>

/** How many coupons there may be where an offer does not say. */
const ANY_NUMBER = 100_000_000

/** Takes what one coupon needs, or nothing. From the first write on, the row of the pool is held: those who want the last one wait. */
export async function takeFrom(
  tx: StoreTransaction,
  offer: Offer,
  holders: readonly SubjectKey[],
  now: number,
): Promise<Taken> {
  const { id, perPerson = 1, until, endsAt = Number.POSITIVE_INFINITY } = offer
  if (now >= endsAt) return refuse('offer is over', { until })
  if ((await tx.countCoupons(holders, id)) >= perPerson) return refuse('limit for one person', { perPerson })
  const loaded = offer.codes === undefined ? undefined : await tx.countLoaded(id)
  const total = Math.min(offer.total ?? ANY_NUMBER, loaded ?? ANY_NUMBER)
  if (!(await tx.takeFromPool(id, total))) {
    return total === loaded ? refuse('no codes left', { loaded }) : refuse('pool is empty', { total })
  }
  const spending = spendingOf(offer, now)
  const { granted, spent: before } = spending === undefined ? AFFORDED : await tx.spend(id, spending)
  if (!granted) {
    await tx.returnToPool(id)
    return refuse('budget', { budget: offer.budget?.money, spent: before / MILLION, needed: offer.value })
  }
  const spent = spending && { spent: { amount: spending.amount, slot: spending.slot } }
  if (loaded === undefined) return { ok: true, ...spent }
  const code = await tx.takeCode(id)
  if (code !== undefined) return { ok: true, code, ...spent }
  await putBack(tx, id, spending)
  return refuse('no codes left', { loaded })
}

/** Puts back what one coupon had taken, but for its code. */
async function putBack(tx: StoreTransaction, offer: string, spent: Spent | undefined): Promise<void> {
  await tx.returnToPool(offer)
  if (spent !== undefined) await tx.unspend(offer, spent)
}

/** Puts back a coupon that nobody has seen, its code where it is one of the shop's; false where it has been used, or there is none. */
export async function returnCoupon(
  tx: StoreTransaction,
  { grantKey, coupon }: Pick<IssuedCoupon, 'grantKey' | 'coupon'>,
  spent: Spent | undefined,
): Promise<boolean> {
  if (!(await tx.removeCoupon(grantKey))) return false
  await putBack(tx, coupon.offer, spent)
  await tx.returnCode(coupon.code)
  return true
}

function refuse(reason: string, facts: Readonly<Record<string, unknown>>): Taken {
  return { ok: false, reason, facts }
}

const AFFORDED = { granted: true, spent: 0 }
/** Money is counted in whole millionths, so that sums are exact. */
export const MILLION = 1_000_000
/** Into how many parts a budget's rolling window is cut: what was spent counts until the whole part is out of it. */
const PARTS = 500

/** What a coupon of an instant costs its budget; undefined where there is none. */
export function spendingOf({ budget, value = 0, window }: Offer, at: number): Spending | undefined {
  if (budget === undefined) return undefined
  const money = { amount: Math.ceil(value * MILLION - ROUNDING), limit: Math.floor(budget.money * MILLION + ROUNDING) }
  if (window === undefined) return { ...money, slot: 0, from: 0 }
  const from = window.from({ traits: {} }, at)
  if (window.withinMs === undefined) return { ...money, slot: from, from }
  const part = Math.max(1, Math.ceil(window.withinMs / PARTS))
  return { ...money, slot: Math.floor(at / part) * part, from: Math.floor(from / part) * part }
}

/** What numbers such as 0.1 may be off by. */
const ROUNDING = 1e-3
