import { canonicalJson, contentHash } from '../json.js'
import type { EventRecord, FeatureState } from '../subject.js'

/**
 * An aggregate of one subject's events, kept up to date event by event. Its state is bounded by what the rules of the
 * program need of it: `latest` entries, none older than `windowMs`.
 */
export interface Feature {
  /** The same for equal definitions, whatever rule they stand in. */
  readonly key: string
  /** Names of the events that can change it. */
  readonly events: readonly string[]
  /** How much of it its state keeps, as text: when this changes, states have to be rebuilt. */
  readonly keeps: string
  /** A property value that an event (or one of its items) must have to change it: what the program indexes it by. */
  readonly demand: Demand | undefined
  /**
   * The state with one more event in it, or the same state when the event does not count. `now` is not before the event
   * itself, and verdicts are asked for `now` or later: what can no longer matter then is forgotten.
   */
  fold(state: FeatureState | undefined, event: EventRecord, now: number): FeatureState | undefined
  /** The state of two subjects that turned out to be one. */
  merge(a: FeatureState, b: FeatureState): FeatureState
  /**
   * The state when the user `from` of some of its events turned out to be the user `to`; undefined where it does not say, and
   * all events have to be read again. Left out where the state does not tell users apart.
   */
  renameUser?(state: FeatureState, from: string, to: string): FeatureState | undefined
}

export interface Demand {
  readonly of: 'event' | 'item'
  readonly property: string
  readonly values: readonly unknown[]
}

/** Which events a feature counts: the part of its definition that its key is made of. */
export interface EventFilter {
  readonly events: readonly string[]
  readonly matches: (event: EventRecord) => boolean
  readonly demand: Demand | undefined
  /** The filter's definition, as written. */
  readonly definition: Readonly<Record<string, unknown>>
}

/** The key of what is measured of some events, `property` being what of them. */
export function featureKey(
  measure: string,
  filter: EventFilter,
  property?: string | EventFilter['definition'],
): string {
  return contentHash(canonicalJson({ measure, ...filter.definition, property }), 12)
}

/** Features of one subject kind, each found once however many rules use it. */
export class FeatureRegistry {
  private readonly byKey = new Map<string, Feature>()

  get features(): Iterable<Feature> {
    return this.byKey.values()
  }

  /** The registered feature of this key, made by `create` if it is new. */
  obtain<F extends Feature>(key: string, create: () => F): F {
    const known = this.byKey.get(key) as F | undefined
    if (known !== undefined) return known
    const created = create()
    this.byKey.set(key, created)
    return created
  }
}
