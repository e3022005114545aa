import { ALWAYS, NEVER, type Verdict } from '../conditions/verdict.js'
import type { EventRecord, FeatureState } from '../subject.js'
import type { Demand, EventFilter, Feature } from './feature.js'
import { Retention } from './retention.js'
import type { Span } from './window.js'

/**
 * What a series keeps: the total of all counts, and the latest entries in time order. `counts` is left out where each
 * entry counts 1.
 */
export type SeriesState = readonly [total: number, times: readonly number[], counts?: readonly number[]]

const EMPTY: SeriesState = [0, []]

/**
 * Counts for windows in which events count at once. An event adds its count at its own time; late events are placed where
 * they belong. Only as many entries are kept as some rule needs: for a threshold of k, the k latest decide it at every
 * instant.
 */
export class SeriesFeature implements Feature {
  readonly events: readonly string[]
  readonly demand: Demand | undefined
  readonly retention = new Retention()

  constructor(
    readonly key: string,
    private readonly filter: EventFilter,
    /** How much one matching event counts. */
    private readonly count: ((event: EventRecord) => number) | 'one',
  ) {
    this.events = filter.events
    this.demand = filter.demand
  }

  get keeps(): string {
    return this.retention.text
  }

  fold(state: FeatureState | undefined, event: EventRecord, now: number): FeatureState | undefined {
    if (!this.filter.matches(event)) return state
    const count = this.count === 'one' ? 1 : this.count(event)
    if (count === 0) return state
    const [total, times, counts] = (state as SeriesState | undefined) ?? EMPTY
    if (this.retention.keepsNothing) return [total + count, times]
    const kept = this.insert(times, counts, event.at, count, now)
    return this.count === 'one' ? [total + count, kept.times] : [total + count, kept.times, kept.counts]
  }

  merge(a: FeatureState, b: FeatureState): FeatureState {
    const [totalA, timesA, countsA] = a as SeriesState
    const [totalB, timesB, countsB] = b as SeriesState
    const entries = [...pairs(timesA, countsA), ...pairs(timesB, countsB)].sort((x, y) => x[0] - y[0] || x[1] - y[1])
    const kept = entries.slice(Math.max(0, entries.length - this.retention.latest))
    const times = kept.map(([time]) => time)
    return this.count === 'one' ? [totalA + totalB, times] : [totalA + totalB, times, kept.map(([, count]) => count)]
  }

  private insert(
    times: readonly number[],
    counts: readonly number[] | undefined,
    at: number,
    count: number,
    now: number,
  ): { times: readonly number[]; counts: readonly number[] } {
    // In order of time, then of count, so that the state does not depend on the order of arrival.
    let place = times.length
    while (place > 0 && isAfter(times[place - 1] ?? 0, counts?.[place - 1] ?? 1, at, count)) place -= 1
    const newTimes = times.toSpliced(place, 0, at)
    const newCounts = counts === undefined ? [count] : counts.toSpliced(place, 0, count)
    const { retention } = this
    let surplus = Math.max(0, newTimes.length - retention.latest)
    while (surplus < newTimes.length && retention.isOver(newTimes[surplus] ?? 0, now)) surplus += 1
    if (surplus === 0) return { times: newTimes, counts: newCounts }
    return { times: newTimes.slice(surplus), counts: newCounts.slice(surplus) }
  }
}

function isAfter(time: number, count: number, otherTime: number, otherCount: number): boolean {
  return time > otherTime || (time === otherTime && count > otherCount)
}

function pairs(times: readonly number[], counts: readonly number[] | undefined): [number, number][] {
  return times.map((time, index) => [time, counts?.[index] ?? 1])
}

/** Whether the counts inside the window reach `threshold`. */
export function reaches(state: SeriesState | undefined, threshold: number, span: Span, at: number): Verdict {
  if (threshold <= 0) return ALWAYS
  if (state === undefined) return NEVER
  const [, times, counts] = state
  let sum = 0
  for (let index = times.length - 1; index >= 0; index--) {
    const leaves = span.leaves(times[index] ?? 0)
    if (leaves <= at) return NEVER
    sum += counts === undefined ? 1 : (counts[index] ?? 0)
    if (sum >= threshold) return leaves
  }
  return NEVER
}

/** The count inside the window. Needs all entries of the window to have been kept. */
export function countWithin(state: SeriesState | undefined, span: Span, at: number): number {
  if (state === undefined) return 0
  const [, times, counts] = state
  let sum = 0
  for (let index = times.length - 1; index >= 0 && span.leaves(times[index] ?? 0) > at; index--) {
    sum += counts?.[index] ?? 1
  }
  return sum
}

/** When the count inside the window next changes by itself. */
export function nextExpiry(state: SeriesState | undefined, span: Span, at: number): number {
  const oldest = state?.[1].find((time) => span.leaves(time) > at)
  return oldest === undefined ? Number.POSITIVE_INFINITY : span.leaves(oldest)
}
