import type * as z from 'zod'
import type { FactTurn, Read } from '../conditions/explanation.js'
import type { CheckedLeaf } from '../conditions/leaf.js'
import type { PredicateScope } from '../conditions/predicate.js'
import type { Verdict } from '../conditions/verdict.js'
import type { Place } from '../problems.js'
import type { EventRecord, RelationName, SubjectKind, SubjectView } from '../subject.js'
import type { Tier } from '../tiers.js'
import type { Dependencies } from './dependencies.js'
import type { FeatureRegistry } from './feature.js'
import type { FigureRegistry } from './figure.js'

/** What conditions about a subject are compiled in. */
export interface ConditionScope extends PredicateScope {
  readonly subject: SubjectKind
  /**
   * `state`: what holds or not at every instant, as of tags. `instant`: what is asked once, when something has happened,
   * as of entries by a tag. `event`: the same with an event at hand, as in entry, exit, waitFor and branch conditions.
   */
  readonly moment: 'state' | 'instant' | 'event'
  readonly features: FeatureRegistry
  readonly figures: FigureRegistry
  readonly depends: Dependencies
  /** Keep all entries of each window, so that explanations show exact values instead of "at least". */
  readonly exact: boolean
  /** Tags of this subject kind that the pack has. */
  readonly tagIds: ReadonlySet<string>
  /** Scores of this subject kind, each with its tiers in the order of `from`. */
  readonly scoreTiers: ReadonlyMap<string, readonly Tier[]>
  /** Journeys of this subject kind, each with the ids of its steps. */
  readonly journeySteps: ReadonlyMap<string, ReadonlySet<string>>
  /** Registers a condition about a related subject; gives the id that `relatedHolds` is asked for. */
  relate(relation: RelationName, leaf: CheckedLeaf): string
}

/** A fact as one condition uses it. */
export interface FactUse {
  /** The fact's value, for explanations and for comparisons that have no form of their own. */
  read(view: SubjectView): unknown
  /** When the value may next change by itself: later than `view.at`. Left out where time cannot change it. */
  changesAt?(view: SubjectView): number
  /** The verdict of the leaf's operator and constant, where the fact knows it better than by comparing values. */
  verdict?(view: SubjectView): Verdict
  /** The verdict of any test of the value, certain until the very change that turns it. */
  readonly over?: (view: SubjectView, holdsFor: (value: unknown) => boolean) => Verdict
  /** Which of these events of the subject's log made the value what it is at `view.at`. For facts over events. */
  readonly evidence?: (view: SubjectView, events: readonly EventRecord[]) => readonly EventRecord[]
  /** What the fact reads of one of those events; left out where it only counts them. */
  readonly shows?: (event: EventRecord) => unknown
  /** What changes the value when something happens; left out where it is what is said of the subject. */
  readonly moved?: Moved
  /** The tag or score that it reads. */
  readonly reads?: Read
  /**
   * The grid in milliseconds that the times behind the value are rounded down to, because there were too many: events may
   * enter and leave the window this much early. Undefined where they are exact.
   */
  readonly rounding?: (view: SubjectView) => number | undefined
  /**
   * Events up to this instant were forgotten, because there were too many: what they would add is missing. Undefined where
   * all are known.
   */
  readonly forgotten?: (view: SubjectView) => number | undefined
  /** What the value was worked out of, by name, where it is more than events. For explanations. */
  readonly figures?: (view: SubjectView) => Readonly<Record<string, number | string>>
  /** The window for people, such as `last 30d`; left out where the fact has none. */
  readonly window?: string
}

export type Moved =
  /** Each such event (or item, value, person) adds 1, or what it brings, once what happens now counts: `from`. */
  | { readonly by: 'counting' | 'adding'; readonly from: (view: SubjectView) => number }
  /** One such event can: how, if the comparison holds or not; none where only time can. */
  | { readonly by: 'event'; readonly ways: (view: SubjectView, holding: boolean) => readonly EventWay[] }

/** One such event: what its property has to be, and from when it tells. */
export type EventWay = Pick<FactTurn, 'more' | 'value' | 'from'>

export interface FactRequest<Params> {
  readonly params: Params
  readonly scope: ConditionScope
  /** Where the condition stands. */
  readonly place: Place
  /** The condition; undefined where the fact stands as another condition's value. */
  readonly leaf: CheckedLeaf | undefined
  /** Compiles another fact, of whose value this one is made; undefined after an error has been reported. */
  compileValue(source: FactSource, place: Place, scope: ConditionScope): FactUse | undefined
}

/** A fact and its params, as written. */
export interface FactSource {
  readonly fact: string
  readonly params?: Readonly<Record<string, unknown>> | undefined
}

/** One kind of fact that conditions may name. */
export interface FactType<Params = never> {
  readonly name: string
  readonly summary: string
  readonly params: z.ZodType<Params>
  /** Undefined after an error has been reported. */
  compile(request: FactRequest<Params>): FactUse | undefined
}

/** A problem with one of a fact's params. */
export function paramsPlace(place: Place, ...tokens: string[]): Place {
  return { file: place.file, pointer: [place.pointer, 'params', ...tokens].join('/') }
}

/** Whether a condition compares with true or false, or with another fact; what else is reported. */
export function checkBooleanLeaf(leaf: CheckedLeaf | undefined, scope: ConditionScope, message: string): boolean {
  if (leaf === undefined || leaf.reference !== undefined || typeof leaf.constant === 'boolean') return true
  scope.problems.error(valuePlace(leaf.place), 'value.boolean', message, { found: leaf.constant })
  return false
}

/** A problem with the condition's value. */
export function valuePlace(place: Place): Place {
  return { file: place.file, pointer: `${place.pointer}/value` }
}
