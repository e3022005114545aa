import type { CompiledJourney, CompiledStep } from '@linli/rules'
import type { Draft } from './draft.js'
import type { Run } from './subject.js'
import { giveBackUntold } from './untold.js'

/** The definition that a run began with; undefined when the rules no longer have it. */
export function journeyOf(draft: Draft, run: Run): CompiledJourney | undefined {
  return draft.program.journeysByHash.get(run.hash)
}

/** The step at which a run stands. */
export function stepOf(journey: CompiledJourney | undefined, run: Run): CompiledStep | undefined {
  return journey?.steps[journey.stepIndex.get(run.step) ?? -1]
}

/** Stands for the run that was to begin, where its journey had no place left. */
export const NOT_LET_IN = ''

export type StepOf<Verb extends CompiledStep['verb']> = Extract<CompiledStep, { verb: Verb }>

export function exitRun(draft: Draft, run: Run, reason: string, details: Readonly<Record<string, unknown>> = {}): void {
  draft.writeRuns(
    draft.runs.filter((one) => one.id !== run.id),
    run.journey,
  )
  if (run.pending !== undefined) return keepOut(draft, run, { reason, ...details })
  draft.decide('journey.exited', run.journey, { run: run.id, step: run.step, reason, ...details })
  giveBackUntold(draft, run)
}

/** Who waited for a place has never been in, and a step that waits for that run goes on without it. */
export function keepOut(draft: Draft, { id, journey }: Run, details: Readonly<Record<string, unknown>>): void {
  for (const one of draft.runs) if (one.child === id) replaceRun(draft, { ...one, child: NOT_LET_IN })
  draft.decide('journey.held', journey, { run: id, ...details })
}

export function replaceRun(draft: Draft, run: Run): void {
  draft.writeRuns(
    draft.runs.map((one) => (one.id === run.id ? run : one)),
    run.journey,
  )
}

/** Looks at the subject with the event at hand that brought the run here, also when time has passed since. */
export function withEventOf<T>(run: Run, draft: Draft, look: () => T): T {
  const atHand = draft.event
  draft.event = run.event ?? run.entry ?? atHand
  const seen = look()
  draft.event = atHand
  return seen
}
