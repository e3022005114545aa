import type { Located } from '../pack.js'
import type { Problems } from '../problems.js'
import type { JourneyDefinition } from '../schemas/journey.js'
import { stepsOf } from '../schemas/step.js'
import { below } from './expand.js'
import { type Passage, passagesOf } from './passages.js'
import { mayLackDate } from './ways.js'

/** Finds steps that no run ever comes to, the first of each list. */
export function checkUnreachable({ definition, place }: Located<JourneyDefinition>, problems: Problems): void {
  const passages = [...passagesOf<true>(definition.steps, true, { after: () => true, meet: () => true })]
  const byPointer = new Map(passages.map((passage) => [passage.pointer, passage]))
  const { earlier } = definition
  const movedTo = typeof earlier === 'object' ? earlier.moveTo : undefined
  for (const { step, pointer, known } of passages) {
    const before = byPointer.get(oneBefore(pointer))
    if (step.id === movedTo || known !== undefined || before?.known === undefined) continue
    problems.warning(below(place, pointer), 'step.unreachable', unreachableText(before))
  }
  for (const { step, pointer } of stepsOf(definition.steps)) {
    if (!('wait' in step) || step.else === undefined || mayLackDate(step.wait)) continue
    const message =
      'These steps are never taken: this wait always ends. Only one for the date of a trait may have nothing to wait for. Leave out "else".'
    problems.warning(below(place, `${pointer}/else`), 'step.unreachable', message)
  }
}

function oneBefore(pointer: string): string {
  return pointer.replace(/\d+$/, (index) => String(Number(index) - 1))
}

function unreachableText({ step }: Passage<true>): string {
  const why =
    'exit' in step ? 'the one before ends the run' : `whichever way it goes on from "${step.id}", the run ends`
  return `This step is never reached: ${why}.`
}
