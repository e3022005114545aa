import { ALWAYS, NEVER, type Verdict } from '../conditions/verdict.js'
import type { Path } from '../path.js'
import type { EventRecord, FeatureState } from '../subject.js'
import type { Demand, EventFilter, Feature } from './feature.js'

/** Distinct values, each with the latest time it was seen, in time order. */
export type DistinctState = readonly (readonly [value: unknown, lastSeen: number])[]

/** How many different values a property had. For a threshold of k, the k values seen last decide it at every instant. */
export class DistinctFeature implements Feature {
  readonly events: readonly string[]
  readonly demand: Demand | undefined
  private latest = 0
  private windowMs = 0

  constructor(
    readonly key: string,
    private readonly filter: EventFilter,
    private readonly property: Path,
  ) {
    this.events = filter.events
    this.demand = filter.demand
  }

  /** A rule needs the `latest` values seen last in the last `windowMs` milliseconds. */
  need(latest: number, windowMs: number): void {
    this.latest = Math.max(this.latest, latest)
    this.windowMs = Math.max(this.windowMs, windowMs)
  }

  get keeps(): string {
    return `${this.latest}/${this.windowMs}`
  }

  fold(state: FeatureState | undefined, event: EventRecord, now: number): FeatureState | undefined {
    if (!this.filter.matches(event)) return state
    const read = this.property(event.properties)
    const values = (Array.isArray(read) ? read : [read]).filter(isScalar)
    if (values.length === 0) return state
    const seen = values.map((value) => [value, event.at] as const)
    const entries = [...((state ?? []) as DistinctState), ...seen]
    return this.latestOf(entries.filter(([, lastSeen]) => lastSeen + this.windowMs > now))
  }

  merge(a: FeatureState, b: FeatureState): FeatureState {
    return this.latestOf([...(a as DistinctState), ...(b as DistinctState)])
  }

  private latestOf(entries: DistinctState): DistinctState {
    const lastSeen = new Map<unknown, number>()
    for (const [value, at] of entries) lastSeen.set(value, Math.max(at, lastSeen.get(value) ?? at))
    const ordered = [...lastSeen].sort((x, y) => x[1] - y[1] || compareText(JSON.stringify(x[0]), JSON.stringify(y[0])))
    return ordered.slice(Math.max(0, ordered.length - this.latest))
  }
}

/** An order for values seen at the same instant, so that the state does not depend on the order of arrival. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

/** Whether at least `threshold` different values were seen inside the window. */
export function reachesDistinct(
  state: DistinctState | undefined,
  threshold: number,
  windowMs: number,
  at: number,
): Verdict {
  if (threshold <= 0) return ALWAYS
  const entry = state?.[state.length - threshold]
  if (entry === undefined) return NEVER
  const expires = entry[1] + windowMs
  return expires > at ? expires : NEVER
}

/** How many different values were seen inside the window. Needs all of them to have been kept. */
export function countDistinct(state: DistinctState | undefined, windowMs: number, at: number): number {
  return state?.filter(([, lastSeen]) => lastSeen + windowMs > at).length ?? 0
}

/** When the number of different values next changes by itself. */
export function nextDistinctExpiry(state: DistinctState | undefined, windowMs: number, at: number): number {
  const oldest = state?.find(([, lastSeen]) => lastSeen + windowMs > at)
  return oldest === undefined ? Number.POSITIVE_INFINITY : oldest[1] + windowMs
}
