import { ALWAYS, NEVER, type Verdict, verdictOf } from '../conditions/verdict.js'
import type { EventRecord, FeatureState } from '../subject.js'
import type { Demand, EventFilter, Feature } from './feature.js'

/**
 * What a series keeps: the total of all amounts, and the latest entries in time order. `amounts` is left out where each
 * entry counts 1.
 */
export type SeriesState = readonly [total: number, times: readonly number[], amounts?: readonly number[]]

const EMPTY: SeriesState = [0, []]

/**
 * Counts and sums. An event adds an amount at its own time; late events are placed where they belong. Only as many
 * entries are kept as some rule needs: for a threshold of k, the k latest decide it at every instant.
 *
 * Sums are kept in millionths as whole numbers, so that they do not depend on the order of their parts.
 */
export class SeriesFeature implements Feature {
  readonly events: readonly string[]
  readonly demand: Demand | undefined
  private latest = 0
  private windowMs = 0

  constructor(
    readonly key: string,
    private readonly filter: EventFilter,
    /** What one matching event adds. */
    private readonly amount: ((event: EventRecord) => number) | 'one',
  ) {
    this.events = filter.events
    this.demand = filter.demand
  }

  /** A rule needs the `latest` newest entries of the last `windowMs` milliseconds. */
  need(latest: number, windowMs: number): void {
    this.latest = Math.max(this.latest, latest)
    this.windowMs = Math.max(this.windowMs, windowMs)
  }

  get keeps(): string {
    return `${this.latest}/${this.windowMs}`
  }

  fold(state: FeatureState | undefined, event: EventRecord, now: number): FeatureState | undefined {
    if (!this.filter.matches(event)) return state
    const amount = this.amount === 'one' ? 1 : this.amount(event)
    if (amount === 0) return state
    const [total, times, amounts] = (state as SeriesState | undefined) ?? EMPTY
    if (this.latest === 0) return [total + amount, times]
    const kept = this.insert(times, amounts, event.at, amount, now)
    return this.amount === 'one' ? [total + amount, kept.times] : [total + amount, kept.times, kept.amounts]
  }

  merge(a: FeatureState, b: FeatureState): FeatureState {
    const [totalA, timesA, amountsA] = a as SeriesState
    const [totalB, timesB, amountsB] = b as SeriesState
    const entries = [...pairs(timesA, amountsA), ...pairs(timesB, amountsB)].sort((x, y) => x[0] - y[0] || x[1] - y[1])
    const kept = entries.slice(Math.max(0, entries.length - this.latest))
    const times = kept.map(([time]) => time)
    return this.amount === 'one' ? [totalA + totalB, times] : [totalA + totalB, times, kept.map(([, value]) => value)]
  }

  private insert(
    times: readonly number[],
    amounts: readonly number[] | undefined,
    at: number,
    amount: number,
    now: number,
  ): { times: readonly number[]; amounts: readonly number[] } {
    // In order of time, then of amount, so that the state does not depend on the order of arrival.
    let place = times.length
    while (place > 0 && isAfter(times[place - 1] ?? 0, amounts?.[place - 1] ?? 1, at, amount)) place -= 1
    const newTimes = times.toSpliced(place, 0, at)
    const newAmounts = amounts === undefined ? [amount] : amounts.toSpliced(place, 0, amount)
    let surplus = Math.max(0, newTimes.length - this.latest)
    while (surplus < newTimes.length && (newTimes[surplus] ?? 0) + this.windowMs <= now) surplus += 1
    if (surplus === 0) return { times: newTimes, amounts: newAmounts }
    return { times: newTimes.slice(surplus), amounts: newAmounts.slice(surplus) }
  }
}

function isAfter(time: number, amount: number, otherTime: number, otherAmount: number): boolean {
  return time > otherTime || (time === otherTime && amount > otherAmount)
}

function pairs(times: readonly number[], amounts: readonly number[] | undefined): [number, number][] {
  return times.map((time, index) => [time, amounts?.[index] ?? 1])
}

/** Whether the amounts inside the window reach `threshold`, for series whose amounts are never negative. */
export function reaches(state: SeriesState | undefined, threshold: number, windowMs: number, at: number): Verdict {
  if (threshold <= 0) return ALWAYS
  if (state === undefined) return NEVER
  const [total, times, amounts] = state
  if (windowMs === Number.POSITIVE_INFINITY) return total >= threshold ? ALWAYS : NEVER
  let sum = 0
  for (let index = times.length - 1; index >= 0; index--) {
    const expires = (times[index] ?? 0) + windowMs
    if (expires <= at) return NEVER
    sum += amounts === undefined ? 1 : (amounts[index] ?? 0)
    if (sum >= threshold) return expires
  }
  return NEVER
}

/** The sum of the amounts inside the window. Needs all entries of the window to have been kept. */
export function sumWithin(state: SeriesState | undefined, windowMs: number, at: number): number {
  if (state === undefined) return 0
  const [total, times, amounts] = state
  if (windowMs === Number.POSITIVE_INFINITY) return total
  let sum = 0
  for (let index = times.length - 1; index >= 0 && (times[index] ?? 0) + windowMs > at; index--) {
    sum += amounts?.[index] ?? 1
  }
  return sum
}

/** A test of the sum inside the window, certain until the expiry of an entry that turns it. */
export function testSum(
  state: SeriesState | undefined,
  windowMs: number,
  at: number,
  test: (sum: number) => boolean,
): Verdict {
  let sum = sumWithin(state, windowMs, at)
  const holding = test(sum)
  if (state === undefined || windowMs === Number.POSITIVE_INFINITY) return holding ? ALWAYS : NEVER
  const [, times, amounts] = state
  for (let index = firstInside(times, windowMs, at); index < times.length; index++) {
    sum -= amounts?.[index] ?? 1
    if (times[index + 1] !== times[index] && test(sum) !== holding) {
      return verdictOf(holding, (times[index] ?? 0) + windowMs)
    }
  }
  return holding ? ALWAYS : NEVER
}

/** When the sum inside the window next changes by itself. */
export function nextExpiry(state: SeriesState | undefined, windowMs: number, at: number): number {
  if (state === undefined || windowMs === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY
  const oldest = state[1][firstInside(state[1], windowMs, at)]
  return oldest === undefined ? Number.POSITIVE_INFINITY : oldest + windowMs
}

function firstInside(times: readonly number[], windowMs: number, at: number): number {
  let index = times.length
  while (index > 0 && (times[index - 1] ?? 0) + windowMs > at) index -= 1
  return index
}
