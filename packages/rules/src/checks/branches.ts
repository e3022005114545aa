import type { Located } from '../pack.js'
import type { Problems } from '../problems.js'
import type { JourneyDefinition } from '../schemas/journey.js'
import { stepsOf } from '../schemas/step.js'
import { below } from './expand.js'
import type { RulesInView } from './rules-in-view.js'

/** Finds branches that are never taken, because an earlier one always is when their conditions hold. */
export function checkBranches(
  { definition, place }: Located<JourneyDefinition>,
  rules: RulesInView,
  problems: Problems,
): void {
  const { subject = 'user', steps } = definition
  for (const { step, pointer } of stepsOf(steps)) {
    if (!('branch' in step)) continue
    const trees = step.branch.map(({ conditions }, index) => ({
      conditions,
      place: below(place, `${pointer}/branch/${index}/conditions`),
    }))
    // Where one of them never holds, or always does, that has been said.
    const known = trees.filter((tree) => rules.check(tree, subject) !== undefined)
    for (const [index, tree] of trees.entries()) {
      const earlier = trees.slice(0, index)
      if ([tree, ...earlier].some((one) => known.includes(one))) continue
      const wanted = [...earlier.map((one) => ({ tree: one, holds: false })), { tree, holds: true }]
      if (index === 0 || !rules.exclude(wanted, subject)) continue
      const message = 'This branch is never taken: whenever its conditions hold, those of an earlier one do.'
      problems.warning(below(place, `${pointer}/branch/${index}`), 'step.unreachable', message)
    }
  }
}
