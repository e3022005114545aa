import type { Spending } from '../../ports/store.js'
import { Staged } from './staged.js'
import type { MemoryTables, Pool } from './tables.js'

/** What a transaction does to pools, the codes in them, and the money of budgets. */
export class StagedPools {
  readonly #tables: MemoryTables
  readonly #pools: Staged<Pool>
  readonly #spending: Staged<ReadonlyMap<number, number>>
  readonly #added: { readonly offer: string; readonly code: string }[] = []
  readonly #addedCodes = new Set<string>()
  /** Codes that were given away or put back. */
  readonly #given = new Map<string, boolean>()

  constructor(tables: MemoryTables) {
    this.#tables = tables
    this.#pools = new Staged(tables.pools)
    this.#spending = new Staged(tables.spending)
  }

  commit(): void {
    const { pools, spending, codes } = this.#tables
    for (const [offer, pool] of this.#pools.changes) {
      if (pool === undefined) pools.delete(offer)
      else pools.set(offer, pool)
    }
    for (const [offer, slots] of this.#spending.changes) spending.set(offer, slots ?? new Map())
    for (const { offer, code } of this.#added) codes.add(offer, code)
    for (const [code, given] of this.#given) codes.mark(code, given)
  }

  take(offer: string, total: number): boolean {
    const { issued, loaded } = this.#pool(offer)
    if (issued >= total) return false
    this.#pools.set(offer, { issued: issued + 1, total, loaded })
    return true
  }

  giveBack(offer: string): void {
    const pool = this.#pools.get(offer)
    if (pool !== undefined && pool.issued > 0) this.#pools.set(offer, { ...pool, issued: pool.issued - 1 })
  }

  drop(from: string, before: string): void {
    const known = new Set([...this.#tables.pools.keys(), ...[...this.#pools.changes].map(([name]) => name)])
    for (const name of known) if (name >= from && name < before) this.#pools.set(name, undefined)
  }

  spend(offer: string, { amount, slot, from, limit }: Spending): { readonly granted: boolean; readonly spent: number } {
    const slots = new Map([...(this.#spending.get(offer) ?? [])].filter(([noted]) => noted >= from))
    const spent = [...slots.values()].reduce((sum, one) => sum + one, 0)
    if (spent + amount > limit) return { granted: false, spent }
    slots.set(slot, (slots.get(slot) ?? 0) + amount)
    this.#spending.set(offer, slots)
    return { granted: true, spent }
  }

  unspend(offer: string, { amount, slot }: Pick<Spending, 'amount' | 'slot'>): void {
    const slots = new Map(this.#spending.get(offer))
    const noted = slots.get(slot)
    if (noted !== undefined) slots.set(slot, Math.max(0, noted - amount))
    this.#spending.set(offer, slots)
  }

  addCodes(offer: string, given: readonly string[]): number {
    const { codes, couponCodes } = this.#tables
    let count = 0
    for (const code of given) {
      if (codes.has(code) || this.#addedCodes.has(code) || couponCodes.has(code)) continue
      this.#added.push({ offer, code })
      this.#addedCodes.add(code)
      count += 1
    }
    const { issued, loaded } = this.#pool(offer)
    this.#pools.set(offer, { issued, total: Math.max(issued, loaded + count), loaded: loaded + count })
    return count
  }

  loaded(offer: string): number {
    return this.#pool(offer).loaded
  }

  takeCode(offer: string): string | undefined {
    const code =
      this.#tables.codes.first(offer, this.#given) ??
      this.#added.find((one) => one.offer === offer && this.#given.get(one.code) !== true)?.code
    if (code !== undefined) this.#given.set(code, true)
    return code
  }

  returnCode(code: string): void {
    this.#given.set(code, false)
  }

  #pool(offer: string): Pool {
    return this.#pools.get(offer) ?? { issued: 0, total: 0, loaded: 0 }
  }
}
