import type { FactUse } from '../facts/fact.js'
import type { SubjectView } from '../subject.js'
import { ALWAYS, NEVER, type Verdict, verdictOf } from './verdict.js'

/** How many changes one verdict looks ahead while the engine runs; the instant then reached is an early bound. */
const CHANGES_AHEAD = 64

/** The same for explanations. Bounded too: some values, such as the time of day, never stop changing. */
const CHANGES_EXPLAINED = 10_000

/**
 * The verdict of a comparison of values that time changes: it goes from change to change until the comparison turns, so
 * that the verdict is certain until that very instant.
 */
export function compareOverTime(
  holdsAt: (view: SubjectView) => boolean,
  values: readonly FactUse[],
  exact: boolean,
): (view: SubjectView) => Verdict {
  const changes = values.map(({ changesAt }) => changesAt).filter((change) => change !== undefined)
  if (changes.length === 0) return (view) => (holdsAt(view) ? ALWAYS : NEVER)
  const nextChange = (view: SubjectView) => Math.min(...changes.map((change) => change(view)))
  const most = exact ? CHANGES_EXPLAINED : CHANGES_AHEAD
  return (view) => {
    const holding = holdsAt(view)
    let at = nextChange(view)
    for (let seen = 1; seen < most && Number.isFinite(at); seen++) {
      const then = viewAt(view, at)
      if (holdsAt(then) !== holding) break
      at = nextChange(then)
    }
    return verdictOf(holding, at)
  }
}

/** The same subject at another instant. What it answers with may be methods of a class, which a copy would not have. */
export function viewAt(view: SubjectView, at: number): SubjectView {
  return Object.create(view, { at: { value: at } }) as SubjectView
}
