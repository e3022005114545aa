import { type CompiledJourney, holds } from '@linli/rules'
import type { Draft } from './draft.js'
import { enter } from './entries.js'
import { journeyOf, NOT_LET_IN, replaceRun, type StepOf, stepOf, withEventOf } from './runs.js'
import { runSteps } from './steps.js'
import type { Run } from './subject.js'

/** Starts the journey that the earliest `start` step asks for, and lets that step's run go on or wait. */
export function startNext(draft: Draft): boolean {
  const asked = draft.starts.shift()
  if (asked === undefined) return false
  const run = runAt(draft, asked)
  const journey = run && journeyOf(draft, run)
  if (run === undefined || journey === undefined) return true
  const step = stepOf(journey, run)
  if (step?.verb !== 'start') return true
  const child = begin(draft, run, step.journey)
  // The other journey may have ended this run.
  if (runAt(draft, asked) === undefined) return true
  if (child === undefined) runSteps(draft, journey, run, step.otherwise)
  else if (step.waitMs === undefined && !isPending(draft, child)) runSteps(draft, journey, run, step.then)
  else replaceRun(draft, { ...run, child })
  return true
}

function runAt({ runs }: Draft, { run, step }: { readonly run: string; readonly step: string }): Run | undefined {
  return runs.find((one) => one.id === run && one.step === step)
}

/** Enters the subject into a journey as if the event that brought the run to its step were at hand. Gives the new run's id. */
function begin(draft: Draft, run: Run, id: string): string | undefined {
  const journey = draft.program.journeys.get(id)
  const obstacle = journey === undefined ? 'no such journey' : wantedBy(draft, run, journey) ? undefined : 'conditions'
  if (journey === undefined || obstacle !== undefined) {
    draft.decide('journey.held', id, { reason: obstacle, startedBy: run.id })
    return undefined
  }
  const { link } = draft
  draft.link = (run.link ?? 0) + 1
  const child = withEventOf(run, draft, () => enter(draft, journey, draft.event, run.id))
  draft.link = link
  return child
}

/**
 * Goes on where the run that was waited for has ended, or, where only its beginning was, has begun, or was not let in; says
 * whether it did.
 */
export function awaitChild(draft: Draft, journey: CompiledJourney, run: Run, step: StepOf<'start'>): boolean {
  if (run.child === NOT_LET_IN) {
    runSteps(draft, journey, run, step.otherwise)
    return true
  }
  const isThere = draft.runs.some(({ id }) => id === run.child)
  const lasts = isThere && (step.waitMs !== undefined || isPending(draft, run.child))
  if (run.child === undefined || lasts) {
    const { deadline = 0 } = run
    if (run.until !== deadline) replaceRun(draft, { ...run, until: deadline })
    return false
  }
  runSteps(draft, journey, run, step.then)
  return true
}

/** Whether a run waits for a place in its journey. */
function isPending({ runs }: Draft, id: string | undefined): boolean {
  return runs.some((run) => run.id === id && run.pending !== undefined)
}

/** A journey that only steps start may ask for conditions; of others, only the steps' word counts. */
function wantedBy(draft: Draft, run: Run, { entry }: CompiledJourney): boolean {
  const condition = entry.on === 'start' ? entry.condition : undefined
  return condition === undefined || withEventOf(run, draft, () => holds(condition.verdict(draft)))
}
