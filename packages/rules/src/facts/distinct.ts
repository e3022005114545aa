import { ALWAYS, NEVER, type Verdict } from '../conditions/verdict.js'
import type { EventRecord, FeatureState } from '../subject.js'
import type { Demand, EventFilter, Feature } from './feature.js'
import { addEntries, type Compaction, type Gridded, MOST_ENTRIES, mergeEntries } from './grid.js'
import { Retention } from './retention.js'
import type { Tally } from './sweep.js'
import type { Span } from './window.js'

export type DistinctEntry = readonly [seen: number, value: unknown]

/**
 * Different values in order of time, each with when it was last seen; where some window looks at what is longer ago, also
 * with each time that has not entered it yet. Then the grid of the times, left out where they are exact.
 */
export type DistinctState = readonly [entries: readonly DistinctEntry[], gridMs?: number]

/** How many different values there were. For a threshold of k, the k values seen last decide it at every instant. */
export class DistinctFeature implements Feature {
  readonly events: readonly string[]
  readonly demand: Demand | undefined
  readonly retention = new Retention()
  private readonly compaction: Compaction<DistinctEntry>

  constructor(
    readonly key: string,
    private readonly filter: EventFilter,
    /** The values that one matching event brings. */
    private readonly values: (event: EventRecord) => readonly unknown[],
    /** Whether windows in which events do not count at once read it. */
    delayed: boolean,
  ) {
    this.events = filter.events
    this.demand = filter.demand
    this.compaction = {
      retention: this.retention,
      most: delayed ? MOST_ENTRIES : Number.POSITIVE_INFINITY,
      // Values seen at the same instant have an order, so that the state does not depend on the order of arrival.
      compare: (a, b) => a[0] - b[0] || compareText(JSON.stringify(a[1]), JSON.stringify(b[1])),
      tidy: (entries, _, now) => this.latestOf(entries, now),
    }
  }

  get keeps(): string {
    return `values ${this.retention.text}`
  }

  fold(state: FeatureState | undefined, event: EventRecord, now: number): FeatureState | undefined {
    if (!this.filter.matches(event)) return state
    const seen = this.values(event).map((value) => [event.at, value] as const)
    if (seen.length === 0) return state
    return stateOf(addEntries(griddedOf(state as DistinctState | undefined), seen, now, this.compaction))
  }

  merge(a: FeatureState, b: FeatureState): FeatureState {
    return stateOf(mergeEntries(griddedOf(a as DistinctState), griddedOf(b as DistinctState), this.compaction))
  }

  /** The state with one value in place of another; undefined where values that were forgotten would count now. */
  protected rename(state: FeatureState, from: string, to: string): FeatureState | undefined {
    const { entries, gridMs } = griddedOf(state as DistinctState)
    const values = new Set(entries.map(([, value]) => value))
    if (!values.has(from)) return state
    if (values.has(to) && values.size >= this.retention.latest) return undefined
    const renamed = entries.map((entry): DistinctEntry => (entry[1] === from ? [entry[0], to] : entry))
    return stateOf(mergeEntries({ entries: renamed, gridMs }, { entries: [], gridMs }, this.compaction))
  }

  private latestOf(entries: readonly DistinctEntry[], now: number): readonly DistinctEntry[] {
    const kept: DistinctEntry[] = []
    const entered = new Set<unknown>()
    for (const entry of entries.toReversed()) {
      const [seen, value] = entry
      if (!this.retention.hasEntered(seen, now)) {
        const later = kept.at(-1)
        if (later === undefined || later[0] !== seen || later[1] !== value) kept.push(entry)
      } else if (!entered.has(value) && entered.size < this.retention.latest) {
        entered.add(value)
        kept.push(entry)
      }
    }
    return kept.reverse()
  }
}

/** How many different people had such events. Two people who turn out to be one can be made one. */
export class UsersFeature extends DistinctFeature {
  renameUser(state: FeatureState, from: string, to: string): FeatureState | undefined {
    return this.rename(state, from, to)
  }
}

function griddedOf(state: DistinctState | undefined): Gridded<DistinctEntry> {
  return { entries: state?.[0] ?? [], gridMs: state?.[1] ?? 0 }
}

function stateOf({ entries, gridMs }: Gridded<DistinctEntry>): DistinctState {
  return gridMs === 0 ? [entries] : [entries, gridMs]
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

/** Whether at least `threshold` different values were seen inside a window in which events count at once. */
export function reachesDistinct(state: DistinctState | undefined, threshold: number, span: Span, at: number): Verdict {
  if (threshold <= 0) return ALWAYS
  const entry = state?.[0][state[0].length - threshold]
  if (entry === undefined) return NEVER
  const leaves = span.leaves(entry[0])
  return leaves > at ? leaves : NEVER
}

/** Counts different values. Needs all of them to have been kept. */
export class DifferentValues implements Tally<DistinctEntry> {
  private readonly times = new Map<unknown, number>()

  enter([, value]: DistinctEntry): void {
    this.times.set(value, (this.times.get(value) ?? 0) + 1)
  }

  leave([, value]: DistinctEntry): void {
    const left = (this.times.get(value) ?? 0) - 1
    if (left > 0) this.times.set(value, left)
    else this.times.delete(value)
  }

  value(): number {
    return this.times.size
  }
}
