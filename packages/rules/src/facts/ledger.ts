import type { EventRecord, FeatureState } from '../subject.js'
import type { Demand, EventFilter, Feature } from './feature.js'
import { addEntries, type Compaction, type Gridded, MOST_ENTRIES, mergeEntries } from './grid.js'
import type { LedgerEntry, Measure, Quantities } from './measures.js'
import { Retention } from './retention.js'

/** All events together, the entries that windows need, and the grid of their times (left out where they are exact). */
export type LedgerState = readonly [total: Quantities, entries: readonly LedgerEntry[], gridMs?: number]

/** Amounts with their times: sums, averages and extremes, and counts that go by more than the latest events. */
export class LedgerFeature implements Feature {
  readonly events: readonly string[]
  readonly demand: Demand | undefined
  readonly retention = new Retention()
  private readonly compaction: Compaction<LedgerEntry>

  constructor(
    readonly key: string,
    private readonly filter: EventFilter,
    private readonly measure: Measure,
    /** What one matching event brings; undefined where it brings nothing. */
    private readonly measured: (event: EventRecord) => Quantities | undefined,
  ) {
    this.events = filter.events
    this.demand = filter.demand
    this.compaction = {
      retention: this.retention,
      most: MOST_ENTRIES,
      compare: (a, b) => a[0] - b[0] || measure.compare(a, b),
      tidy: (entries, gridMs, now) => {
        const joined = gridMs === 0 ? entries : this.join(entries)
        return measure.stands === undefined ? joined : this.thin(joined, measure.stands, now)
      },
    }
  }

  get keeps(): string {
    return `ledger ${this.retention.text}`
  }

  fold(state: FeatureState | undefined, event: EventRecord, now: number): FeatureState | undefined {
    if (!this.filter.matches(event)) return state
    const quantities = this.measured(event)
    if (quantities === undefined) return state
    const known = state as LedgerState | undefined
    const total = known === undefined ? quantities : this.measure.join(known[0], quantities)
    if (this.retention.keepsNothing) return [total, []]
    return stateOf(total, addEntries(griddedOf(known), [[event.at, ...quantities]], now, this.compaction))
  }

  merge(a: FeatureState, b: FeatureState): FeatureState {
    const [one, other] = [a as LedgerState, b as LedgerState]
    const total = this.measure.join(one[0], other[0])
    return stateOf(total, mergeEntries(griddedOf(one), griddedOf(other), this.compaction))
  }

  /** One entry for each step of the grid. */
  private join(entries: readonly LedgerEntry[]): readonly LedgerEntry[] {
    if (entries.every(([at], index) => entries[index + 1]?.[0] !== at)) return entries
    const joined: LedgerEntry[] = []
    for (const entry of entries) {
      const last = joined.at(-1)
      if (last === undefined || last[0] !== entry[0]) joined.push(entry)
      else joined[joined.length - 1] = [entry[0], ...this.measure.join(quantitiesOf(last), quantitiesOf(entry))]
    }
    return joined
  }

  /** Without the entries that a later one stands for, which counts by now and leaves no earlier. */
  private thin(
    entries: readonly LedgerEntry[],
    stands: NonNullable<Measure['stands']>,
    now: number,
  ): readonly LedgerEntry[] {
    const kept: LedgerEntry[] = []
    let latest: number | undefined
    for (const entry of entries.toReversed()) {
      const [at, amount = 0] = entry
      if (latest !== undefined && stands(latest, amount)) continue
      kept.push(entry)
      if (this.retention.hasEntered(at, now)) latest = amount
    }
    return kept.reverse()
  }
}

function quantitiesOf(entry: LedgerEntry): Quantities {
  return entry.slice(1)
}

function griddedOf(state: LedgerState | undefined): Gridded<LedgerEntry> {
  return { entries: state?.[1] ?? [], gridMs: state?.[2] ?? 0 }
}

function stateOf(total: Quantities, { entries, gridMs }: Gridded<LedgerEntry>): LedgerState {
  return gridMs === 0 ? [total, entries] : [total, entries, gridMs]
}
