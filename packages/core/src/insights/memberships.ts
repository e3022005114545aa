import type { CompiledJourney, Program, SubjectView } from '@linli/rules'
import type { Decision } from '../domain/decision.js'
import { hasTag, type Run, type SubjectState, UNBORN } from '../domain/subject.js'
import { viewOf } from '../domain/view.js'
import type { Past } from './past.js'

/** What journeys had brought about by an instant: it follows from messages and coupons too, so it is taken from the record. */
export interface Memberships {
  readonly runs: readonly Run[]
  /** Whether a tag that journeys put on was on. */
  hasTag(id: string): boolean
}

export function membershipsAt(past: Past, program: Program, at: number, traits: SubjectState['traits']): Memberships {
  const decided = past.decisions.filter((decision) => decision.at <= at)
  const waitEnd: WaitEnd = (journey, step, from) =>
    endOfWait(program.journeys.get(journey), step, viewOf(past.key, { ...UNBORN, traits }, from))
  return { runs: runsAt(past, decided, program, at, waitEnd), hasTag: (id) => hadTag(past, decided, id, at) }
}

/** On when it is on now and has been since; else what was decided last by then. */
function hadTag({ state }: Past, decided: readonly Decision[], id: string, at: number): boolean {
  if (state !== undefined && hasTag(state, id) && (state.tags.get(id)?.[0] ?? 0) <= at) return true
  const last = decided.findLast(({ decision, rule }) => rule === id && decision.startsWith('tag.'))
  return last?.decision === 'tag.added'
}

/** Until when a step that was reached at an instant waits by itself; 0 where it waits for an outcome. */
type WaitEnd = (journey: string, step: string, from: number) => number

function runsAt(
  { state }: Past,
  decided: readonly Decision[],
  program: Program,
  at: number,
  waitEnd: WaitEnd,
): readonly Run[] {
  const runs = new Map<string, Run>()
  for (const decision of decided) {
    const { run: id } = decision
    if (typeof id !== 'string') continue
    const known = runs.get(id)
    if (decision.decision === 'journey.entered') runs.set(id, enteredBy(decision, id, program))
    else if (decision.decision === 'journey.exited') runs.delete(id)
    else if (decision.decision === 'journey.stepped' && known !== undefined) {
      const step = String(decision['step'])
      // What is said of a step once more tells what became of it, or what it has collected.
      if (step !== known.step) runs.set(id, { ...known, step, until: waitEnd(known.journey, step, decision.at) })
    }
  }
  // What is still where it was then, is known exactly.
  const now = state?.runs ?? []
  const unmoved = (run: Run) => now.find(({ id, step }) => id === run.id && step === run.step) ?? run
  // That they began may not be on record: those of somebody else who turned out to be the same person, those of long ago.
  const unrecorded = now.filter(
    ({ id, enteredAt, pending }) => pending === undefined && enteredAt <= at && !runs.has(id),
  )
  return [...[...runs.values()].map(unmoved), ...unrecorded]
}

function enteredBy({ at, rule = '', key }: Decision, id: string, program: Program): Run {
  const hash = program.journeys.get(rule)?.hash ?? ''
  return { id, journey: rule, hash, ...(typeof key === 'string' && { key }), enteredAt: at, step: '', until: 0 }
}

function endOfWait(journey: CompiledJourney | undefined, stepId: string, view: SubjectView): number {
  const step = journey?.steps[journey.stepIndex.get(stepId) ?? -1]
  if (step?.verb === 'wait') return step.end(view) ?? 0
  if (step?.verb === 'digest') return step.end(view) ?? 0
  if (step?.verb === 'start') return step.waitMs === undefined ? 0 : view.at + step.waitMs
  return step?.verb === 'waitFor' ? view.at + step.timeoutMs : 0
}
