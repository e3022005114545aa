import { type Coupon, type SubjectKey, subjectName } from '../../domain/subject.js'
import type { IssuedCoupon, Redeemed } from '../../ports/store.js'
import { conflict } from '../conflict.js'
import { compareText } from '../text-order.js'
import { Staged } from './staged.js'
import { couponCount, type MemoryTables } from './tables.js'

/** What a transaction does to coupons. */
export class StagedCoupons {
  readonly #tables: MemoryTables
  readonly #coupons: Staged<IssuedCoupon>

  constructor(tables: MemoryTables) {
    this.#tables = tables
    this.#coupons = new Staged(tables.coupons)
  }

  commit(): void {
    for (const [grantKey, coupon] of this.#coupons.changes) {
      this.#tables.removeCoupon(grantKey)
      if (coupon !== undefined) this.#tables.putCoupon(coupon)
    }
  }

  /** Removes those of some subjects; gives how many they were. Pools stay as they are. */
  removeOf(subjects: readonly SubjectKey[]): number {
    const found = this.of(subjects)
    for (const { grantKey } of found) this.#coupons.set(grantKey, undefined)
    return found.length
  }

  get(grantKey: string): IssuedCoupon | undefined {
    return this.#coupons.get(grantKey)
  }

  of(subjects: readonly SubjectKey[]): readonly IssuedCoupon[] {
    const wanted = new Set(subjects.map(subjectName))
    const committed = [...this.#tables.coupons.values()].filter(({ grantKey }) => !this.#coupons.isChanged(grantKey))
    const found = [...committed, ...this.#changed()].filter(({ subject }) => wanted.has(subjectName(subject)))
    return found.sort((a, b) => a.issuedAt - b.issuedAt || compareText(a.grantKey, b.grantKey))
  }

  count(subject: SubjectKey, offer: string): number {
    const name = couponCount(subjectName(subject), offer)
    const isMeant = (one: IssuedCoupon | undefined) => one !== undefined && countName(one) === name
    let count = this.#tables.couponCounts.get(name) ?? 0
    for (const [grantKey, coupon] of this.#coupons.changes) {
      if (isMeant(this.#tables.coupons.get(grantKey))) count--
      if (isMeant(coupon)) count++
    }
    return count
  }

  add(coupon: IssuedCoupon): void {
    const { grantKey } = coupon
    if (this.get(grantKey) !== undefined || this.byCode(coupon.coupon.code) !== undefined) {
      throw conflict(`Grant "${grantKey}" has a coupon already, or another grant has its code.`, { grantKey })
    }
    this.#coupons.set(grantKey, coupon)
  }

  complete(grantKey: string, coupon: Coupon): void {
    const known = this.get(grantKey)
    if (known === undefined || known.coupon.code !== '' || this.byCode(coupon.code) !== undefined) {
      throw conflict(`Grant "${grantKey}" waits for no code, or another grant has this one.`, { grantKey })
    }
    this.#coupons.set(grantKey, { ...known, coupon })
  }

  remove(grantKey: string): boolean {
    const known = this.get(grantKey)
    if (known === undefined || known.redeemed !== undefined) return false
    this.#coupons.set(grantKey, undefined)
    return true
  }

  redeem(grantKey: string, redeemed: Redeemed): boolean {
    const known = this.get(grantKey)
    if (known === undefined || known.redeemed !== undefined) return false
    this.#coupons.set(grantKey, { ...known, redeemed })
    return true
  }

  byCode(code: string): IssuedCoupon | undefined {
    if (code === '') return undefined
    const changed = this.#changed().find(({ coupon }) => coupon.code === code)
    if (changed !== undefined) return changed
    const grantKey = this.#tables.couponCodes.get(code)
    return grantKey === undefined || this.#coupons.isChanged(grantKey) ? undefined : this.#tables.coupons.get(grantKey)
  }

  #changed(): readonly IssuedCoupon[] {
    return [...this.#coupons.changes].flatMap(([, coupon]) => coupon ?? [])
  }
}

function countName({ subject, coupon }: IssuedCoupon): string {
  return couponCount(subjectName(subject), coupon.offer)
}
