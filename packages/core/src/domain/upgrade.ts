import type { Feature, FeatureState, Program } from '@linli/rules'
import { type Advanced, finished } from './advance.js'
import { dropUnknown, evaluateDerived } from './derived.js'
import { Draft } from './draft.js'
import { type DatedFate, endLost, endStopped, moveRuns } from './fates.js'
import { hush, react } from './journeys.js'
import { LazyMap } from './lazy-map.js'
import type { SubjectKey, SubjectState } from './subject.js'
import { ALONE, type Surroundings } from './surroundings.js'

export interface UpgradeOptions {
  /** When the rules changed. */
  readonly at: number
  /** Features that the state lacks, and what the subject's events make of them. */
  readonly missing: readonly Feature[]
  readonly filled: ReadonlyMap<string, FeatureState>
  /** Whether journeys may react to what these rules find in the past. */
  readonly greet: boolean
  /** What the versions of the rules since those of the state make of its runs, in their order. */
  readonly fates?: readonly DatedFate[]
  readonly surroundings?: Surroundings
}

/**
 * A subject as it goes on under other rules: with the features that it lacked, without those that nothing reads any
 * more, all tags and scores looked at again. Runs go on as they began, unless a version stops or moves them; those that these
 * rules leave no way for end.
 */
export function upgrade(key: SubjectKey, state: SubjectState, program: Program, options: UpgradeOptions): Advanced {
  const { at, greet, fates = [], surroundings = ALONE } = options
  const draft = new Draft(key, { ...state, features: refilled(key, state, program, options) }, program, surroundings)
  endStopped(draft, fates)
  draft.at = Math.max(state.at, at)
  // What it has come to by these rules counts for the others from the next baseline on.
  draft.figuresMoved = draft.rules.figures.size > 0
  draft.occasion = { reason: 'published', quiet: !greet }
  endLost(draft, fates)
  dropUnknown(draft)
  // Each journey begins from the publication on, when these rules say.
  draft.schedules = {}
  evaluateDerived(draft, draft.rules.derived)
  if (!greet) {
    hush(draft)
    draft.occasion = undefined
  }
  if (moveRuns(draft, fates) || greet) react(draft)
  return finished(draft)
}

function refilled(
  { kind }: SubjectKey,
  { features }: SubjectState,
  program: Program,
  { missing, filled }: UpgradeOptions,
): SubjectState['features'] {
  const lacked = new Set(missing.map(({ key }) => key))
  const kept = [...features.entries()].filter(
    ([name]) => program.subjects[kind].features.has(name) && !lacked.has(name),
  )
  return LazyMap.of([...kept, ...filled])
}
