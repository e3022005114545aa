import { formatDuration, parseDuration } from '../duration.js'
import type { Located } from '../pack.js'
import type { Problems } from '../problems.js'
import type { JourneyDefinition } from '../schemas/journey.js'
import type { StepDefinition } from '../schemas/step.js'
import { CERTAIN_FLOW, certainAtEntry } from './certain.js'
import { below } from './expand.js'
import { passagesOf } from './passages.js'

/** Finds goals that are over before the journey has done anything for them. */
export function checkGoal({ definition, place }: Located<JourneyDefinition>, problems: Problems): void {
  const { goal, steps } = definition
  const withinMs = parseDuration(goal?.within)
  if (goal === undefined || withinMs === undefined) return
  const reached = [...passagesOf(steps, certainAtEntry(definition), CERTAIN_FLOW)].flatMap(({ step, known }) => {
    return known !== undefined && acts(step) ? [{ step, afterMs: known.ranMs }] : []
  })
  const [first] = reached.sort((one, other) => one.afterMs - other.afterMs)
  if (first === undefined || first.afterMs < withinMs) return
  const message = `The goal counts within ${goal.within} after entry, but the first thing that this journey does for anybody, "${first.step.id}", comes after ${formatDuration(first.afterMs)} at the earliest: nothing of it is counted. Give it longer than that.`
  problems.warning(below(place, 'goal/within'), 'goal.tooSoon', message, { found: goal.within })
}

/** Whether somebody may notice it: all but looking, choosing and waiting. */
function acts(step: StepDefinition): boolean {
  return !['wait', 'waitFor', 'branch', 'split', 'digest', 'exit'].some((verb) => verb in step)
}
