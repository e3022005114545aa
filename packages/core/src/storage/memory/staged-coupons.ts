import { type SubjectKey, subjectName } from '../../domain/subject.js'
import type { IssuedCoupon } from '../../ports/store.js'
import { conflict } from '../conflict.js'
import { compareText } from '../text-order.js'
import { Staged } from './staged.js'
import { couponCount, type MemoryTables, type Pool } from './tables.js'

/** What a transaction does to coupons and their pools. */
export class StagedCoupons {
  readonly #tables: MemoryTables
  readonly #pools: Staged<Pool>
  readonly #added = new Map<string, IssuedCoupon>()
  readonly #removed: IssuedCoupon[] = []

  constructor(tables: MemoryTables) {
    this.#tables = tables
    this.#pools = new Staged(tables.pools)
  }

  commit(): void {
    for (const [offer, pool] of this.#pools.changes) {
      if (pool === undefined) this.#tables.pools.delete(offer)
      else this.#tables.pools.set(offer, pool)
    }
    for (const coupon of this.#added.values()) this.#tables.putCoupon(countName(coupon), coupon)
    for (const coupon of this.#removed) this.#tables.removeCoupon(countName(coupon), coupon)
  }

  /** Removes those of some subjects; gives how many they were. Pools stay as they are. */
  remove(subjects: readonly SubjectKey[]): number {
    const found = this.of(subjects)
    this.#removed.push(...found)
    return found.length
  }

  get(grantKey: string): IssuedCoupon | undefined {
    return this.#added.get(grantKey) ?? this.#tables.coupons.get(grantKey)
  }

  of(subjects: readonly SubjectKey[]): readonly IssuedCoupon[] {
    const wanted = new Set(subjects.map(subjectName))
    const found = [...this.#tables.coupons.values(), ...this.#added.values()].filter(({ subject }) =>
      wanted.has(subjectName(subject)),
    )
    return found.sort((a, b) => a.issuedAt - b.issuedAt || compareText(a.grantKey, b.grantKey))
  }

  count(subject: SubjectKey, offer: string): number {
    const name = couponCount(subjectName(subject), offer)
    let count = this.#tables.couponCounts.get(name) ?? 0
    for (const coupon of this.#added.values()) if (countName(coupon) === name) count++
    return count
  }

  takeFromPool(offer: string, total: number): boolean {
    const issued = this.#pools.get(offer)?.issued ?? 0
    if (issued >= total) return false
    this.#pools.set(offer, { issued: issued + 1, total })
    return true
  }

  dropPools(from: string, before: string): void {
    const known = new Set([...this.#tables.pools.keys(), ...[...this.#pools.changes].map(([name]) => name)])
    for (const name of known) if (name >= from && name < before) this.#pools.set(name, undefined)
  }

  add(coupon: IssuedCoupon): void {
    const { grantKey } = coupon
    if (this.get(grantKey) !== undefined || this.#hasCode(coupon.coupon.code)) {
      throw conflict(`Grant "${grantKey}" has a coupon already, or another grant has its code.`, { grantKey })
    }
    this.#added.set(grantKey, coupon)
  }

  #hasCode(code: string): boolean {
    if (this.#tables.couponCodes.has(code)) return true
    for (const added of this.#added.values()) if (added.coupon.code === code) return true
    return false
  }
}

function countName({ subject, coupon }: IssuedCoupon): string {
  return couponCount(subjectName(subject), coupon.offer)
}
