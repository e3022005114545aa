import type { EventRecord, FeatureState } from '../subject.js'
import type { Demand, EventFilter, Feature } from './feature.js'

/**
 * How many events there were in all, and when: times in order, each with how many events it stands for. Times are rounded
 * down to whole multiples of `gridMs`; 0: they are exact.
 */
export type DecayState = readonly [total: number, gridMs: number, times: readonly number[], counts: readonly number[]]

const EMPTY: DecayState = [0, 0, [], []]

/** After so many half-lives an event gives nothing any more. */
export const HALVINGS = 8

/** How many different times a state keeps. Beyond that, times are rounded down to the finest grid that fits. */
const MOST_TIMES = 1000

/** Each a multiple of the one before, so that rounding in steps comes to the same as rounding once. */
const GRIDS_MS = [60_000, 300_000, 900_000, 3_600_000, 21_600_000, 86_400_000, 604_800_000]

/**
 * Events whose worth halves in steps. An event at *s* is worth all of it until *s + h*, then a half, then a quarter …,
 * and nothing from *s + 8h* on. Between those instants nothing changes, so sums are exact, do not depend on the order of
 * arrival, and every change has an instant.
 */
export class DecayFeature implements Feature {
  readonly events: readonly string[]
  readonly demand: Demand | undefined
  private keptMs = 0

  constructor(
    readonly key: string,
    private readonly filter: EventFilter,
  ) {
    this.events = filter.events
    this.demand = filter.demand
  }

  /** A rule needs the events of the last eight half-lives. */
  need(halfLifeMs: number): void {
    this.keptMs = Math.max(this.keptMs, HALVINGS * halfLifeMs)
  }

  get keeps(): string {
    return `${this.keptMs}`
  }

  fold(state: FeatureState | undefined, event: EventRecord, now: number): FeatureState | undefined {
    if (!this.filter.matches(event)) return state
    const [total, gridMs, times, counts] = (state as DecayState | undefined) ?? EMPTY
    if (event.at + this.keptMs <= now) return [total + 1, gridMs, times, counts]
    const outdated = times.findIndex((time) => time + this.keptMs > now)
    const from = outdated === -1 ? times.length : outdated
    const kept = from === 0 ? { times, counts } : { times: times.slice(from), counts: counts.slice(from) }
    return fitted(total + 1, kept.times.length === 0 ? 0 : gridMs, kept.times, kept.counts, event.at)
  }

  merge(a: FeatureState, b: FeatureState): FeatureState {
    const [totalA, gridA, timesA, countsA] = a as DecayState
    const [totalB, gridB, timesB, countsB] = b as DecayState
    const gridMs = Math.max(gridA, gridB)
    const merged = rounded([...timesA, ...timesB], [...countsA, ...countsB], gridMs)
    return compacted(totalA + totalB, gridMs, merged)
  }
}

interface Entries {
  readonly times: readonly number[]
  readonly counts: readonly number[]
}

/** The state with one more event in it. */
function fitted(
  total: number,
  gridMs: number,
  times: readonly number[],
  counts: readonly number[],
  at: number,
): DecayState {
  const time = onGrid(at, gridMs)
  let place = times.length
  while (place > 0 && (times[place - 1] ?? 0) > time) place -= 1
  if (times[place - 1] === time) return [total, gridMs, times, counts.with(place - 1, (counts[place - 1] ?? 0) + 1)]
  return compacted(total, gridMs, { times: times.toSpliced(place, 0, time), counts: counts.toSpliced(place, 0, 1) })
}

/** Rounds to the finest grid on which no more times are left than are kept. */
function compacted(total: number, gridMs: number, entries: Entries): DecayState {
  let [grid, { times, counts }] = [gridMs, entries]
  while (times.length > MOST_TIMES) {
    grid = GRIDS_MS.find((coarser) => coarser > grid) ?? grid * 2
    ;({ times, counts } = rounded(times, counts, grid))
  }
  return [total, grid, times, counts]
}

function rounded(times: readonly number[], counts: readonly number[], gridMs: number): Entries {
  const slots = new Map<number, number>()
  times.forEach((time, index) => {
    const slot = onGrid(time, gridMs)
    slots.set(slot, (slots.get(slot) ?? 0) + (counts[index] ?? 0))
  })
  const ordered = [...slots].sort((a, b) => a[0] - b[0])
  return { times: ordered.map(([time]) => time), counts: ordered.map(([, count]) => count) }
}

function onGrid(time: number, gridMs: number): number {
  return gridMs === 0 ? time : Math.floor(time / gridMs) * gridMs
}

/**
 * What the events are worth at an instant, where a fresh one is worth `amount`: whole numbers, those of each halving
 * rounded by themselves.
 */
export function decayedSum(state: DecayState | undefined, amount: number, halfLifeMs: number, at: number): number {
  let sum = 0
  state?.[2].forEach((time, index) => {
    sum += (state[3][index] ?? 0) * halved(amount, Math.floor((at - time) / halfLifeMs))
  })
  return sum
}

function halved(amount: number, halvings: number): number {
  return halvings < 0 || halvings >= HALVINGS ? 0 : Math.round(amount / 2 ** halvings)
}

/** When one of the events is next worth less; infinity when none is left. */
export function nextHalving(state: DecayState | undefined, halfLifeMs: number, at: number): number {
  let next = Number.POSITIVE_INFINITY
  for (const time of state?.[2] ?? []) {
    const passed = Math.floor((at - time) / halfLifeMs)
    if (passed < HALVINGS) next = Math.min(next, time + (passed + 1) * halfLifeMs)
  }
  return next
}

/** How many events are still worth something. */
export function countFresh(state: DecayState | undefined, halfLifeMs: number, at: number): number {
  let count = 0
  state?.[2].forEach((time, index) => {
    if (at >= time && at < time + HALVINGS * halfLifeMs) count += state[3][index] ?? 0
  })
  return count
}
