import type { Tally } from '../../domain/tallies.js'
import type { StoreTransaction } from '../../ports/store.js'
import type { MemoryTables } from './tables.js'

/** What a transaction does to what is counted for policies about many people. */
export class StagedTallies {
  readonly #tables: MemoryTables
  readonly #counters = new Map<string, Map<string, Tally>>()

  constructor(tables: MemoryTables) {
    this.#tables = tables
  }

  commit(): void {
    for (const [counter, tallies] of this.#counters) this.#tables.tallies.set(counter, tallies)
  }

  of(counters: readonly string[]): readonly Tally[] {
    return [...new Set(counters)].flatMap((counter) => [
      ...(this.#counters.get(counter) ?? this.#tables.tallies.get(counter) ?? new Map<string, Tally>()).values(),
    ])
  }

  add(changes: readonly Tally[]): ReadonlySet<string> {
    const begun = new Set<string>()
    for (const change of changes) {
      const { counter, from, until, taken, made } = change
      const tallies = this.#own(counter)
      const place = `${from}/${until}`
      const before = tallies.get(place)
      if (before !== undefined) {
        tallies.set(place, { ...before, taken: before.taken + taken, made: before.made + made })
      } else if (taken >= 0 && made >= 0) {
        tallies.set(place, change)
        begun.add(counter)
      }
    }
    return begun
  }

  drop(outdated: Parameters<StoreTransaction['dropTallies']>[0]): void {
    for (const { counter, until } of outdated) {
      const tallies = this.#own(counter)
      for (const [place, tally] of tallies) if (tally.until <= until) tallies.delete(place)
    }
  }

  #own(counter: string): Map<string, Tally> {
    const own = this.#counters.get(counter) ?? new Map(this.#tables.tallies.get(counter))
    this.#counters.set(counter, own)
    return own
  }
}
