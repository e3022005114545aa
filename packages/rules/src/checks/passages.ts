import type { StepDefinition } from '../schemas/step.js'
import { type Way, waysOf } from './ways.js'

/** What is found out about runs on their way through a journey. */
export interface Flow<Known> {
  /** What is known once a run has gone on from a step this way. */
  after(known: Known, step: StepDefinition, way: Way): Known
  /** What is known where two ways come together: what is so on both. */
  meet(one: Known, other: Known): Known
}

/** A step, where it stands, and what is known of every run that comes to it; undefined where none ever does. */
export interface Passage<Known> {
  readonly step: StepDefinition
  readonly pointer: string
  readonly known: Known | undefined
}

/** All steps as runs come through them. Steps never lead back, so once through them is enough. */
export function* passagesOf<Known>(
  steps: readonly StepDefinition[],
  start: Known | undefined,
  flow: Flow<Known>,
  pointer = 'steps',
): Generator<Passage<Known>, Known | undefined> {
  let known = start
  for (const [index, step] of steps.entries()) {
    const at = `${pointer}/${index}`
    yield { step, pointer: at, known }
    const ends: Known[] = []
    for (const way of waysOf(step, at)) {
      const begun = known === undefined ? undefined : flow.after(known, step, way)
      const end = yield* passagesOf(way.steps, begun, flow, way.pointer)
      if (end !== undefined) ends.push(end)
    }
    known = ends.length === 0 ? undefined : ends.reduce((one, other) => flow.meet(one, other))
  }
  return known
}
