import { canonicalJson } from '../json.js'
import type { EventRecord, FeatureState } from '../subject.js'
import type { Demand, EventFilter, Feature } from './feature.js'

/** The latest matching event: its time and what is kept of it. */
export type LatestState = readonly [at: number, value?: unknown]

/** The kept value as text; the empty text where nothing was kept, which no JSON is. */
function textOf([, value]: LatestState): string {
  return value === undefined ? '' : canonicalJson(value)
}

/**
 * The latest matching event by its own time. Of two events of the same instant the one whose kept value has the greater
 * JSON text wins, so that the order of arrival does not matter.
 */
export class LatestFeature implements Feature {
  readonly events: readonly string[]
  readonly keeps = ''
  readonly demand: Demand | undefined

  constructor(
    readonly key: string,
    private readonly filter: EventFilter,
    private readonly keep: ((event: EventRecord) => unknown) | undefined,
  ) {
    this.events = filter.events
    this.demand = filter.demand
  }

  fold(state: FeatureState | undefined, event: EventRecord): FeatureState | undefined {
    if (!this.filter.matches(event)) return state
    const known = state as LatestState | undefined
    if (known !== undefined && known[0] > event.at) return state
    const value = this.keep?.(event)
    const found: LatestState = value === undefined ? [event.at] : [event.at, value]
    return known === undefined ? found : this.merge(known, found)
  }

  merge(a: FeatureState, b: FeatureState): FeatureState {
    const [first, second] = [a as LatestState, b as LatestState]
    if (first[0] !== second[0]) return first[0] > second[0] ? first : second
    return textOf(first) >= textOf(second) ? first : second
  }
}
