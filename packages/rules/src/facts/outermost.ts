import { canonicalJson } from '../json.js'
import type { EventRecord, FeatureState } from '../subject.js'
import type { Demand, EventFilter, Feature } from './feature.js'

/** The first or the latest matching event: its time and what is kept of it. */
export type OutermostState = readonly [at: number, value?: unknown]

/** The kept value as text; the empty text where nothing was kept, which no JSON is. */
function textOf([, value]: OutermostState): string {
  return value === undefined ? '' : canonicalJson(value)
}

/**
 * The first or the latest matching event by its own time. Of two events of the same instant the one whose kept value has
 * the greater JSON text wins, so that the order of arrival does not matter.
 */
export class OutermostFeature implements Feature {
  readonly events: readonly string[]
  readonly keeps = ''
  readonly demand: Demand | undefined

  constructor(
    readonly key: string,
    private readonly filter: EventFilter,
    private readonly which: 'first' | 'latest',
    private readonly keep: ((event: EventRecord) => unknown) | undefined,
  ) {
    this.events = filter.events
    this.demand = filter.demand
  }

  fold(state: FeatureState | undefined, event: EventRecord): FeatureState | undefined {
    if (!this.filter.matches(event)) return state
    const found = outermostOf(event, this.keep)
    if (state === undefined) return found
    const outer = outerOf(this.which, state as OutermostState, found)
    return outer === found ? found : state
  }

  merge(a: FeatureState, b: FeatureState): FeatureState {
    return outerOf(this.which, a as OutermostState, b as OutermostState)
  }
}

/** What is kept of an event. */
export function outermostOf(event: EventRecord, keep: ((event: EventRecord) => unknown) | undefined): OutermostState {
  const value = keep?.(event)
  return value === undefined ? [event.at] : [event.at, value]
}

/** The one that is further out. */
export function outerOf(which: 'first' | 'latest', a: OutermostState, b: OutermostState): OutermostState {
  if (a[0] !== b[0]) return a[0] > b[0] === (which === 'latest') ? a : b
  return textOf(a) >= textOf(b) ? a : b
}
